package linux

import (
	"os"
	"os/exec"
	"testing"
)

func TestEntriesAreValid(t *testing.T) {
	const validator = "desktop-file-validate"
	if _, err := exec.LookPath(validator); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, name := range []string{"sigalert.desktop", "sigalert-autostart.desktop"} {
		// It also prints hints, and exits with 0 after them.
		if out, err := exec.Command(validator, name).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
