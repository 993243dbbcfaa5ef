package events

import (
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The paths of index entries. What nearly every record has in common, such as
// status SUCCESS or origin API, has no entry: asking for it is as good as asking
// for everything.
const (
	indexEntity       = "entity"
	indexRun          = "run"
	indexResource     = "resource"
	indexOrigin       = "origin"
	indexStatus       = "status"
	indexAction       = "action"
	indexInstallation = "installation"
	indexWebhook      = "webhook"
	indexWebhookEvent = "webhookEvent"
	indexActionType   = "actionType"
	// indexDue finds the records that tell another moment than they stand at.
	indexDue = "due"
)

// dueEntry is the one value of indexDue.
const dueEntry = "1"

// commonActions have no entry.
var commonActions = []string{"CREATE", "UPDATE", "DELETE"}

// additionalKeys are the keys of additionalData that records are found by.
var additionalKeys = map[string]string{
	indexInstallation: "installationId", indexWebhook: "webhookId", indexWebhookEvent: "webhookEventId", indexActionType: "actionType",
}

// Indexes are the indexes that a store needs for the records.
func Indexes() store.Indexes { return store.Indexes{KindRecord: index} }

func index(d store.Doc) []store.Entry {
	list := records(d)
	out := make([]store.Entry, 0, len(list)+2)
	for _, r := range list {
		if d, ok := r.(jsonv.Object); ok {
			out = entries(out, d)
		}
	}
	return out
}

// entries adds those of one record.
func entries(out []store.Entry, d store.Doc) []store.Entry {
	add := func(path, value, common string) {
		if value != "" && value != common {
			out = append(out, store.Entry{Path: path, Value: value})
		}
	}
	add(indexEntity, jsonv.String(d, "entity"), "")
	add(indexRun, jsonv.String(d, "run"), "")
	add(indexResource, resourceOf(d), defaultResource)
	add(indexStatus, statusOf(d), "SUCCESS")
	if action := jsonv.String(d, "action"); !slices.Contains(commonActions, action) {
		add(indexAction, action, "")
	}
	if jsonv.String(d, dueKey) != "" {
		add(indexDue, dueEntry, "")
	}
	for _, origin := range origins(d) {
		add(indexOrigin, origin, defaultOrigin)
	}
	if additional := jsonv.Map(d, "additional"); additional != nil {
		for path, key := range additionalKeys {
			add(path, jsonv.String(additional, key), "")
		}
	}
	return out
}

// origins are the names that a record's origin goes by: an integration's also by
// its type alone.
func origins(d store.Doc) []string {
	origin := originOf(d)
	if kind, _, ok := strings.Cut(origin, "/"); ok {
		return []string{origin, kind}
	}
	return []string{origin}
}
