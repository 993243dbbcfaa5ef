package events

import (
	"regexp"
	"strings"
)

// The identification headers of exporters (reference/clients.md §0).
const oceanAgent = "port-ocean/"

var kubernetesAgent = regexp.MustCompile(`^(port-k8s-exporter)/\S+ \(statekey/([^)]+)\)`)

// OriginOf tells from a caller's User-Agent what records of its changes name as
// origin: an exporter's type and identifier, "API" for everybody else; and the
// identifier of the installation, if it is one (reference/identity.md §8.6).
func OriginOf(userAgent string) (origin, installation string) {
	if rest, ok := strings.CutPrefix(userAgent, oceanAgent); ok {
		// <type>/<version>/<identifier>[/exporter|gitops]
		parts := strings.Split(rest, "/")
		if len(parts) >= 3 && parts[0] != "" && parts[2] != "" {
			return parts[0] + "/" + parts[2], parts[2]
		}
	}
	if m := kubernetesAgent.FindStringSubmatch(userAgent); m != nil {
		return m[1] + "/" + m[2], m[2]
	}
	return defaultOrigin, ""
}
