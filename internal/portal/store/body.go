package store

import (
	"fmt"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

func encodeBody(d Doc) string { return string(jsonv.Encode(d)) }

func decodeBody(text string) (Doc, error) {
	d, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the data file holds a damaged document: %w", err)
	}
	return d, nil
}
