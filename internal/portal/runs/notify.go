package runs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// notify writes down whom to tell that a run waits for approval, and how
// (reference/actions.md §4.7).
func (r *Runs) notify(tx store.Tx, org string, k *kept, action jsonv.Object) error {
	how := jsonv.Map(action, "approvalNotification")
	link := r.deps.PageURL + "/organization/run?runId=" + k.id()
	email := jsonv.String(k.hidden, hiddenCreator)
	title := cmp.Or(jsonv.String(action, "title"), jsonv.String(action, "identifier"))
	text := cmp.Or(email, jsonv.String(k.run, "createdBy")) + " asks to run " + title
	lines := []string{}
	// Approvers see what nobody typed, too: hidden inputs and defaults (P8).
	given := jsonv.Map(k.hidden, hiddenValues)
	for _, id := range sortedKeys(given) {
		lines = append(lines, id+": "+textOf(given[id]))
	}
	if jsonv.String(how, "type") != "webhook" {
		return r.mail(tx, k, "Approval required: "+title, strings.Join(slices.Concat([]string{text}, lines, []string{link}), "\n"))
	}
	run, err := r.show(tx, org, k, shown{})
	if err != nil {
		return err
	}
	notice := jsonv.Object{"url": how["url"], "body": jsonv.Object{
		"type": "APPROVAL_REQUEST", "run": run, "action": jsonv.Object{"identifier": action["identifier"], "title": action["title"]},
		"requestedBy": jsonv.Object{"email": email, "id": k.run["createdBy"]}, "approvers": jsonv.List(k.hidden, hiddenApprovers), "link": link,
	}}
	if jsonv.String(how, "format") == "slack" {
		notice["body"] = slack(text, lines, link)
	}
	sealed, err := r.deps.Vault.Seal(string(jsonv.Encode(notice)), k.id())
	if err != nil {
		return err
	}
	return r.send(tx, org, Delivery{Kind: DeliverNotice, Run: k.id(), Lane: noticeLane(k), Sealed: sealed})
}

// noticeLane puts the notices of an action on a few lanes: they need no order, but what
// hangs must not take up more places the more it is.
func noticeLane(k *kept) string {
	const lanes = 8
	sum := 0
	for _, c := range []byte(k.id()) {
		sum += int(c)
	}
	return fmt.Sprintf("notice %s %d", jsonv.String(k.hidden, hiddenAction), sum%lanes)
}

// mail tells the approvers that lists name; whom a policy names gets none.
func (r *Runs) mail(tx store.Tx, k *kept, subject, text string) error {
	if jsonv.Bool(k.hidden, hiddenPolicy) || r.deps.Mail == nil {
		return nil
	}
	for _, to := range jsonv.Strings(k.hidden[hiddenApprovers]) {
		if err := r.deps.Mail(tx, to, subject, text); err != nil {
			return err
		}
	}
	return nil
}

// plain is a text as Slack shows it: what people typed is no link and calls nobody.
var plain = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slack(text string, lines []string, link string) jsonv.Object {
	details := plain.Replace(strings.Join(append([]string{text}, lines...), "\n"))
	text = plain.Replace(text)
	return jsonv.Object{"text": text, "blocks": []any{
		jsonv.Object{"type": "section", "text": jsonv.Object{"type": "mrkdwn", "text": details}},
		jsonv.Object{"type": "actions", "elements": []any{
			jsonv.Object{"type": "button", "text": jsonv.Object{"type": "plain_text", "text": "Review"}, "url": link},
		}},
	}}
}
