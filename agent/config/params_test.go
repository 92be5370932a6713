package config_test

import (
	"errors"
	"strings"
	"testing"

	"sigalert/agent/rule"
)

func TestParamsThatFail(t *testing.T) {
	params := func(text string) (any, error) {
		s := subscribed(t, "subscriptions: [{actions: [{label: A, request: {method: m, params: "+text+"}}]}]")[0]
		return s.Actions[0].Request.Params.Value(seen(`{"x": 5, "text": "` + strings.Repeat("x", 60_000) + `"}`))
	}
	_, err := params("{a: ['{{ data.y + 1 }}']}")
	if _, ok := errors.AsType[*rule.Error](err); !ok {
		t.Errorf("a failing expression: %v", err)
	}
	if _, err := params("[" + strings.Repeat("'{{ data.text }}',", 17) + "]"); err != nil {
		t.Errorf("less than 1 MiB: %v", err)
	}
	if _, err := params("[" + strings.Repeat("'{{ data.text }}',", 18) + "]"); err == nil {
		t.Error("more than 1 MiB is no error")
	}
}
