package eventlog_test

import (
	"testing"

	"sigalert/sig/sigtest"
)

func TestMain(m *testing.M) { sigtest.Main(m) }
