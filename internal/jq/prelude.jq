# Definitions that stand before every program, as far as it needs them. They
# replace built-in functions of the interpreter that could do much work in one
# step, change shared values or read the machine, and add what C jq has and the
# interpreter has not. Functions called _p_ are in primitives.go. A definition
# sees only those before it: what it calls must not be replaced further down.

def now: _p_now;
def localtime: gmtime;
def strflocaltime($f): strftime($f);
def date: todate;
def dateadd($u; $n): . + $n;
def datesub($u; $n): . - $n;

def debug: .;
def debug(m): .;
def stderr: .;
def input_line_number: 0;
def input_filename: null;
def get_search_list: [];
def have_literal_numbers: true;
def have_decnum: false;
def error: _p_error(.);
def error($m): _p_error($m);

def tostring: _p_tostring;
def tojson: _p_tojson;
def fromjson: _p_fromjson;
def tonumber: _p_tonumber;
def abs: if type != "number" then error("\(type) has no absolute value") elif . < 0 then -. else . end;
def toarray: if type == "array" then . else [.] end;
def ascii: [.] | implode;
def pow10: exp10;
def jn($n; $x): _p_jn($n; $x);
def yn($n; $x): _p_yn($n; $x);
def keys: _p_keys;
def keys_unsorted: _p_keys;

def format($f): _p_format($f);
def _tohtml: _p_format("html");
def _touri: _p_format("uri");
def _tourid: _p_format("urid");
def _tocsv: _p_format("csv");
def _totsv: _p_format("tsv");
def _tosh: _p_format("sh");
def _tobase64: _p_format("base64");
def _tobase64d: _p_format("base64d");

def ltrimstr($x): _p_trimstr($x; "l");
def rtrimstr($x): _p_trimstr($x; "r");
def trimstr($x): _p_trimstr($x; "lr");
def explode: _p_explode;
def split($x): _p_divide(.; $x);
def join($x): _p_join($x);
def contains($x): _p_contains(.; $x);
def inside($x): _p_contains($x; .);
def indices($x): _p_indices($x);
def index($x): _p_indices($x) | if . then .[0] else . end;
def rindex($x): _p_indices($x) | if . then .[-1] else . end;

def add: _p_addall;
def add(f): [f] | _p_addall;
def flatten: _p_flatten(null);
def flatten($n): _p_flatten($n);
def reverse: if type == "string" then explode | _p_reverse | implode elif . == null then [] else _p_reverse end;
def transpose: _p_transpose;
def sort: _p_by("sort"; .);
def sort_by(f): _p_by("sort"; map([f]));
def group_by(f): _p_by("group"; map([f]));
def unique: _p_by("unique"; .);
def unique_by(f): _p_by("unique"; map([f]));
def min: _p_by("min"; .);
def min_by(f): _p_by("min"; map([f]));
def max: _p_by("max"; .);
def max_by(f): _p_by("max"; map([f]));
def bsearch($x): _p_bsearch($x);

def setpath($p; $v): _p_setpath(.; $p; $v);
def delpaths($p): _p_delpaths($p);
def del(f): _p_delpaths([path(f)]);
def pick(f): . as $v | reduce path(f) as $p (null; _p_setpath(.; $p; ($v | getpath($p))));
def leaf_paths: paths(scalars);
def _assign(p; $v): reduce path(p) as $q (.; _p_setpath(.; $q; $v));
def _modify(p; f):
  reduce path(p) as $q ([., []];
    . as [$x, $gone]
    | [first($x | getpath($q) | f)] as $new
    | if ($new | length) == 0 then [$x, $gone + [$q]] else [_p_setpath($x; $q; $new[0]), $gone] end)
  | . as [$x, $gone] | $x | _p_delpaths($gone);
def map_values(f): .[] |= f;
def walk(f):
  def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f;
  w;
def from_entries:
  _p_from_entries([.[] | [
    (if .key? == null then .k? // .name? // .Name? // .K? // .Key? else .key end),
    (if type != "object" then null elif has("value") then .value elif has("v") then .v else .Value end)]]);
def with_entries(f): to_entries | map(f) | from_entries;
def fromstream(f):
  foreach f as $e (null;
    (if .done then null else . end)
    | ($e | length) as $n
    | if $n == 2 then _p_setpath(.; ["v"] + $e[0]; $e[1]) | .done = (($e[0] | length) == 0)
      else .done = (($e[0] | length) == 1) end;
    if .done then .v else empty end);
def INDEX(stream; f): reduce stream as $row ({}; _p_setpath(.; [$row | f | tostring]; $row));
def INDEX(f): INDEX(.[]; f);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def JOIN($idx; f): [.[] | [., $idx[f]]];
def JOIN($idx; stream; f): stream | [., $idx[f]];
def JOIN($idx; stream; f; g): stream | [., $idx[f]] | g;
def isvalid(f): try (f | true) catch false;

def match($re; $flags): _p_match($re; $flags; "") | .[];
def match($re): _p_match($re; null; "") | .[];
def test($re): _p_match($re; null; "test");
def test($re; $flags): _p_match($re; $flags; "test");
def capture($re): match($re) | .captures | _p_captures;
def capture($re; $flags): match($re; $flags) | .captures | _p_captures;
def scan($re; $flags): _p_match($re; $flags; "all") | .[] | if .captures == [] then .string else [.captures[].string] end;
def scan($re): scan($re; null);
def split($re; $flags): _p_match($re; $flags; "split");
def splits($re): split($re; null) | .[];
def splits($re; $flags): split($re; $flags) | .[];
def sub($re; str; $flags): [_p_match($re; $flags; "") | .[]] as $found
  | _p_substitute($found; [$found[] | [.captures | _p_captures | str]]) | .[];
def sub($re; str): sub($re; str; null);
def gsub($re; str): sub($re; str; "g");
def gsub($re; str; $flags): sub($re; str; $flags + "g");
