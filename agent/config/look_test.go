package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file may be missing or empty while it is being saved, for less than 2 s.
func TestLook(t *testing.T) {
	type step struct {
		at      float64 // seconds
		text    string  // of the file; "": there is none; "/": it is a folder; "0": it is empty
		differs bool
		wait    float64
	}
	for name, steps := range map[string][]step{
		"saved":                {{1, "b", true, 0}, {2, "b", false, 0}},
		"saved with a gap":     {{1, "", false, 2}, {2, "b", true, 0}, {9, "b", false, 0}},
		"the same, and a gap":  {{1, "", false, 2}, {2, "a", false, 0}, {9, "a", false, 0}},
		"two gaps":             {{1, "", false, 2}, {2, "a", false, 0}, {2.5, "", false, 2}, {4, "", false, 0.5}, {4.5, "", true, 0}},
		"gone":                 {{1, "", false, 2}, {2.5, "", false, 0.5}, {3, "", true, 0}, {9, "", false, 0}},
		"gone and back":        {{1, "", false, 2}, {3, "", true, 0}, {9, "a", true, 0}},
		"gone, then a folder":  {{1, "", false, 2}, {3, "", true, 0}, {9, "/", false, 2}, {11, "/", true, 0}, {20, "/", false, 0}},
		"emptied for a moment": {{1, "0", false, 2}, {2, "b", true, 0}, {9, "b", false, 0}},
		"emptied, then gone":   {{1, "0", false, 2}, {2.5, "", false, 0.5}, {3, "", true, 0}},
		"emptied":              {{1, "0", false, 2}, {2.5, "0", false, 0.5}, {3, "0", true, 0}, {9, "a", true, 0}},
		"a folder at last":     {{1, "", false, 2}, {2.5, "/", false, 0.5}, {3, "/", true, 0}},
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		put := func(text string) {
			_ = os.Remove(path)
			var err error
			switch text {
			case "":
			case "0":
				err = os.WriteFile(path, nil, 0o600)
			case "/":
				err = os.Mkdir(path, 0o700)
			default:
				err = os.WriteFile(path, []byte(text), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		put("a")
		w := &watch{path: path}
		start := time.Now()
		w.look(start)
		seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
		for _, s := range steps {
			put(s.text)
			news, wait := w.look(start.Add(seconds(s.at)))
			if differs := news != nil; differs != s.differs || wait != seconds(s.wait) {
				t.Errorf("%s, %+v: %v, %v", name, s, news, wait)
			}
		}
	}
}
