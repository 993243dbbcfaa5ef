package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/portlens/terraform-provider-port/internal/portal"
)

const portalUsage = `terraform-provider-port portal runs the reference portal: Port's API on this machine.

Usage:
  terraform-provider-port portal [flags]

Flags:
  --listen ADDR         address to listen on (default 127.0.0.1:3000; port 0 picks a free one)
  --data FILE           keep everything in this SQLite file; without it everything is in memory
  --database-url URL    keep everything in this PostgreSQL database instead, such as
                        postgres://USER:PASSWORD@HOST:5432/DATABASE; any number of portals may
                        share one, and together they are one portal
  --rate-limit N        allow N requests in 300 seconds to the organization, and N more to each
                        service account (default 0: no limit)
  --failed-logins N     refuse a client id for the rest of a minute after N wrong secrets from one
                        address (default 0: further ones only wait longer and longer)
  --allow-from LIST     answer only requests from these addresses, such as 10.0.0.0/8,192.0.2.7
  --allow-private-calls call loopback and private addresses when actions say so, which a portal
                        does anyway that listens on loopback; link-local addresses and metadata
                        services are never called
  --public-url URL      where people and programs reach this portal: calls of actions to it stay
                        inside, and links in notifications lead there
  --kafka BROKERS       send messages to these Kafka brokers, host:port separated by commas; then
                        relays get their runs from a topic too, unless they say that they poll
  --azure-url URL       the root of Azure DevOps (default https://dev.azure.com)
  --github-url URL      the root of GitHub's API (default https://api.github.com), for GitHub
                        Enterprise such as https://ghe.example.com/api/v3; it may be private
  --run-timeout TIME    fail runs that have been in progress, or have waited for their approval,
                        for so long, such as 24h (default 0: they may go on for ever)
  --allow-unknown-inputs
                        accept runs with values that are no inputs of their action
  --automation-depth N  stop automations that cause each other after a chain of N events
                        (default 16)
  --list-all-fields     tell in the permissions of a blueprint of every property and relation, not
                        only of those that were given permissions of their own
  --strict-permissions  refuse permissions for users and teams that do not exist
  --user-status STATUS  let users who are created without a status begin as Disabled, which is
                        the default, or as Staged
  --legacy-action-routes MODE
                        what becomes of the routes of a blueprint's actions, which Port itself has
                        dropped: served, which is the default, or gone, which answers 410

Environment:
  PORT_CLIENT_ID, PORT_CLIENT_SECRET
                        credentials that the organization accepts, taken over at the first start;
                        without them a pair is made and printed once
  PORTAL_SECRET_KEY     at least 32 characters, from which the key is derived that secrets are
                        encrypted with; without it, it stands in FILE.key beside the data file,
                        and with --database-url in the database. Portals that share a database
                        need the same one
  PORT_GITHUB_TOKEN     what workflows are dispatched with at GitHub, and asked about: it may read
                        and write the actions of their repositories, and read these; without it
                        such runs fail
  PORT_GITHUB_URL       the same as --github-url, which goes before it

The first line on stdout is "portal listening on http://HOST:PORT" as soon as requests are
answered; the credentials that were made follow as two lines NAME=VALUE. The log goes to
stderr. An interrupt finishes the requests in flight and ends the program with code 0.
`

// grace is how long requests in flight may take once the program was told to end.
const grace = 30 * time.Second

type portalFlags struct {
	listen, data, databaseURL  string
	rateLimit, failedLogins    int
	allowedFrom                []netip.Prefix
	listAllFields              bool
	strictPermissions          bool
	credentials                portal.Credentials
	secretKey, userStatus      string
	legacyActionRoutes         string
	privateCalls               bool
	publicURL, azureURL, kafka string
	githubURL, githubToken     string
	runTimeout                 time.Duration
	allowUnknownInputs         bool
	automationDepth            int
}

func runPortal(ctx context.Context, args []string, env Env) int {
	var f portalFlags
	flags := newFlags("portal")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:3000", "")
	flags.StringVar(&f.data, "data", "", "")
	flags.StringVar(&f.databaseURL, "database-url", "", "")
	flags.IntVar(&f.rateLimit, "rate-limit", 0, "")
	flags.IntVar(&f.failedLogins, "failed-logins", 0, "")
	flags.BoolVar(&f.listAllFields, "list-all-fields", false, "")
	flags.BoolVar(&f.strictPermissions, "strict-permissions", false, "")
	flags.Func("allow-from", "", f.allowFrom)
	flags.BoolVar(&f.privateCalls, "allow-private-calls", false, "")
	flags.StringVar(&f.publicURL, "public-url", "", "")
	flags.StringVar(&f.azureURL, "azure-url", "", "")
	flags.StringVar(&f.githubURL, "github-url", env.Getenv("PORT_GITHUB_URL"), "")
	flags.StringVar(&f.kafka, "kafka", "", "")
	flags.DurationVar(&f.runTimeout, "run-timeout", 0, "")
	flags.BoolVar(&f.allowUnknownInputs, "allow-unknown-inputs", false, "")
	flags.IntVar(&f.automationDepth, "automation-depth", portal.DefaultAutomationDepth, "")
	flags.StringVar(&f.userStatus, "user-status", "Disabled", "")
	flags.StringVar(&f.legacyActionRoutes, "legacy-action-routes", "served", "")
	if err := flags.Parse(args); err != nil {
		return env.usageError("portal", portalUsage, err)
	}
	f.credentials = portal.Credentials{ClientID: env.Getenv("PORT_CLIENT_ID"), ClientSecret: env.Getenv("PORT_CLIENT_SECRET")}
	f.githubToken = env.Getenv("PORT_GITHUB_TOKEN")
	f.secretKey = env.Getenv("PORTAL_SECRET_KEY")
	switch {
	case flags.NArg() > 0:
		return env.fail(exitUsage, "portal", fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	case flagGiven(args, "data") && flagGiven(args, "database-url"):
		return env.fail(exitUsage, "portal", errors.New("--data and --database-url exclude each other"))
	case flagGiven(args, "database-url") && f.databaseURL == "":
		return env.fail(exitUsage, "portal", errors.New("--database-url needs a URL"))
	case f.rateLimit < 0:
		return env.fail(exitUsage, "portal", errors.New("--rate-limit must not be negative"))
	case f.failedLogins < 0:
		return env.fail(exitUsage, "portal", errors.New("--failed-logins must not be negative"))
	case f.runTimeout < 0:
		return env.fail(exitUsage, "portal", errors.New("--run-timeout must not be negative"))
	case f.automationDepth < 1:
		return env.fail(exitUsage, "portal", errors.New("--automation-depth must be at least 1"))
	case f.userStatus != "Disabled" && f.userStatus != "Staged":
		return env.fail(exitUsage, "portal", fmt.Errorf("--user-status is Disabled or Staged, not %q", f.userStatus))
	case f.legacyActionRoutes != "served" && f.legacyActionRoutes != "gone":
		return env.fail(exitUsage, "portal", fmt.Errorf("--legacy-action-routes is served or gone, not %q", f.legacyActionRoutes))
	case f.credentials.ClientID != "" && f.credentials.ClientSecret == "":
		return env.fail(exitUsage, "portal", errors.New("PORT_CLIENT_ID is set but PORT_CLIENT_SECRET is not"))
	case f.credentials.ClientID == "" && f.credentials.ClientSecret != "":
		return env.fail(exitUsage, "portal", errors.New("PORT_CLIENT_SECRET is set but PORT_CLIENT_ID is not"))
	}
	for name, value := range map[string]string{"public-url": f.publicURL, "azure-url": f.azureURL, "github-url": f.githubURL} {
		if u, err := url.Parse(value); value != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			return env.fail(exitUsage, "portal", fmt.Errorf("--%s must be a URL such as https://portal.example.com, not %q", name, value))
		}
	}
	if flagGiven(args, "data") && f.data == "" {
		return env.fail(exitUsage, "portal", errors.New("--data needs the name of a file"))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := servePortal(ctx, f, env); err != nil {
		return env.fail(exitFailure, "portal", err)
	}
	return exitOK
}

// allowFrom reads addresses and networks, separated by commas.
func (f *portalFlags) allowFrom(list string) error {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		prefix, err := netip.ParsePrefix(part)
		if address, e := netip.ParseAddr(part); e == nil {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return fmt.Errorf("want addresses such as 192.0.2.7 and networks such as 10.0.0.0/8, got %q", part)
		}
		f.allowedFrom = append(f.allowedFrom, prefix)
	}
	return nil
}

// flagGiven tells an empty value from no flag at all.
func flagGiven(args []string, flag string) bool {
	for _, a := range args {
		for _, dashes := range []string{"-", "--"} {
			if a == dashes+flag || len(a) > len(dashes+flag) && a[:len(dashes+flag)+1] == dashes+flag+"=" {
				return true
			}
		}
	}
	return false
}

// servePortal runs until ctx ends. The address comes first: when it is taken, the
// data file is not touched.
func servePortal(ctx context.Context, f portalFlags, env Env) (err error) {
	l, err := portal.Listen(ctx, f.listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", f.listen, reason(err))
	}
	defer func() {
		if e := l.Close(); err == nil && !errors.Is(e, net.ErrClosed) {
			err = e
		}
	}()
	log := slog.New(slog.NewTextHandler(env.Stderr, nil))
	p, err := portal.Open(ctx, portal.Options{
		DataFile: f.data, DatabaseURL: f.databaseURL, Log: log, Limits: portal.Limits{Requests: f.rateLimit, FailedLogins: f.failedLogins},
		AllowedFrom: f.allowedFrom, ListAllFields: f.listAllFields, StrictPermissions: f.strictPermissions,
		ClientID: f.credentials.ClientID, ClientSecret: f.credentials.ClientSecret,
		SecretKey: f.secretKey, DefaultUserStatus: f.userStatus, LegacyActionRoutes: f.legacyActionRoutes,
		RunTimeout: f.runTimeout, AllowUnknownInputs: f.allowUnknownInputs, AutomationDepth: f.automationDepth,
		PrivateCalls: f.privateCalls || onLoopback(l.Addr()),
		PublicURL:    cmp.Or(f.publicURL, "http://"+reachable(l.Addr())), AzureURL: f.azureURL, Kafka: f.kafka, Version: env.Version,
		GitHubURL: f.githubURL, GitHubToken: f.githubToken,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	server := portal.NewServer(ctx, p.Handler(), log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	if err := announce(ctx, p, l.Addr(), env, f.credentials, log); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	return shutDown(ctx, server, log)
}

// shutDown finishes what is in flight; a second interrupt does not wait for it.
func shutDown(ctx context.Context, server *http.Server, log *slog.Logger) error {
	log.Info("stopping: requests in flight are finished")
	again, stop := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
	defer stop()
	limited, cancel := context.WithTimeout(again, grace)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		log.Warn("requests in flight were cut off")
		return server.Close()
	}
	return nil
}

// announce prints the first line and, once in the life of the data, the
// credentials that were made up.
func announce(ctx context.Context, p *portal.Portal, address net.Addr, env Env, given portal.Credentials, log *slog.Logger) error {
	text := "portal listening on http://" + reachable(address) + "\n"
	if given.ClientID == "" {
		made, first, err := p.Announce(ctx)
		if err != nil {
			return err
		}
		if first {
			text += "PORT_CLIENT_ID=" + made.ClientID + "\nPORT_CLIENT_SECRET=" + made.ClientSecret + "\n"
		}
	} else if valid, err := p.Accepts(ctx, given); err != nil {
		return err
	} else if !valid {
		log.Warn("PORT_CLIENT_ID and PORT_CLIENT_SECRET are not accepted: the data knows this client id with another secret, or as deleted")
	}
	if _, err := env.Stdout.Write([]byte(text)); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

// onLoopback tells whether only programs of this machine can reach the portal: they
// may call its other services anyway.
func onLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// reachable is an address a client on this machine can use: a listener on all
// addresses names none.
func reachable(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

// reason strips what the caller says anyway from a network error.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err
	}
	return err
}
