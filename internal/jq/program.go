package jq

import (
	"context"
	"errors"

	"github.com/itchyny/gojq"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

type engine struct{}

var shared engine

// Program is a compiled jq program, safe for concurrent use.
type Program struct{ code *gojq.Code }

func (e *SyntaxError) Error() string { return "jq: " + e.Message }

func (engine) Compile(src string) (*Program, error) {
	q, err := gojq.Parse(src)
	if err != nil {
		return nil, &SyntaxError{Message: err.Error()}
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, &SyntaxError{Message: err.Error()}
	}
	return &Program{code}, nil
}

func (p *Program) first(ctx context.Context, input any, limits Limits) (any, bool, error) {
	ctx, stop := context.WithTimeout(ctx, defaultTime)
	defer stop()
	v, ok := p.code.RunWithContext(ctx, jsonv.Clone(input)).Next()
	if !ok {
		return nil, false, nil
	}
	if err, ok := v.(error); ok {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, false, ErrLimit
		}
		return nil, false, err
	}
	text, err := gojq.Marshal(v)
	if err != nil {
		return nil, false, err
	}
	out, err := jsonv.Decode(text)
	return out, err == nil, err
}
