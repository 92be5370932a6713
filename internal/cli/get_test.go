package cli

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var printedURL = regexp.MustCompile(`http://[^/\s]+/`)

// get asks for a page of the log whose URL is in a file, and prints status and
// text; with a third argument it asks until that is in what it prints.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get FILE ADDRESS [TEXT]")
	}
	path := ts.MkAbs(args[0])
	awaitFile(ts, path, "http://")
	printed, err := os.ReadFile(path)
	ts.Check(err)
	url := strings.TrimSuffix(printedURL.FindString(string(printed)), "/") + args[1]
	deadline := time.Now().Add(20 * time.Second)
	for {
		text := fetch(ts, url)
		if len(args) == 2 || strings.Contains(text, args[2]) {
			fmt.Fprint(ts.Stdout(), text)
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never had %q:\n%s", url, args[2], text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func fetch(ts *testscript.TestScript, url string) string {
	response, err := http.Get(url)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}
