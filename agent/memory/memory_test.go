package memory

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

func some(seq uint64) State {
	at := time.Date(2026, 3, 1, 7, 12, 0, 0, time.UTC)
	return State{
		Servers: map[string]Server{"a:3000": {Position: sig.Position{Epoch: "e", Seq: seq}, Reached: seq + 2, Open: []uint64{seq + 1}, Heard: at}},
		Pause:   &Hold{Paused: true, Until: at, While: "while paused", Count: 7, Last: []Held{{"n", "t", "k"}}, Names: map[string]int{"n": 7}},
		Muted:   map[string]Hold{"s\x01": {Of: "s e"}},
		Tags:    map[string]bool{"t": true, "u": false},
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "agent.json")
	if s, err := Load(path); err != nil || !reflect.DeepEqual(s, State{}) {
		t.Errorf("a file that is not there: %+v, %v", s, err)
	}
	k := NewKeeper(path, func(context.Context) {}, func(err error) { t.Error(err) })
	stop := wait.Start(t.Context(), func(ctx context.Context) { k.Run(ctx) })
	k.Keep(some(1))
	k.Keep(some(2))
	stop()
	if s, err := Load(path); err != nil || !reflect.DeepEqual(s, some(2)) {
		t.Errorf("%+v, %v", s, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if all, _ := os.ReadDir(filepath.Dir(path)); len(all) != 1 {
		t.Errorf("there are %v", all)
	}
}

func TestUnreadableIsPutAside(t *testing.T) {
	for name, tc := range map[string]struct{ text, says string }{
		"empty":         {"", "unexpected end"},
		"cut":           {`{"version": 1, "state": {"ser`, "unexpected end"},
		"another's":     {"[1, 2]", "cannot unmarshal"},
		"newer":         {`{"version": 2, "state": {}}`, "it has version 2, and this program reads version 1"},
		"no version":    {`{}`, "it has version 0"},
		"a wrong value": {`{"version": 1, "state": {"servers": 7}}`, "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "agent.json")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), ".unreadable") || !reflect.DeepEqual(s, State{}) {
				t.Errorf("%+v, %v", s, err)
			}
			if text, err := os.ReadFile(path + ".unreadable"); err != nil || string(text) != tc.text {
				t.Errorf("put aside: %q, %v", text, err)
			}
			if _, err := Load(path); err != nil {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

// What cannot be written is reported once, tried again every 10 s, and reported once
// more when it works; meanwhile the newest counts.
func TestTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "agent.json")
		if err := os.Mkdir(path+".new", 0o700); err != nil { // in the way of the new file
			t.Fatal(err)
		}
		var mu sync.Mutex // guards the variables below; held but while the test sleeps
		var told []error
		flushed := 0
		sleep := func(d time.Duration) {
			mu.Unlock()
			time.Sleep(d)
			mu.Lock()
		}
		k := NewKeeper(path, func(context.Context) {
			mu.Lock()
			defer mu.Unlock()
			flushed++
		}, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, err)
		})
		mu.Lock()
		whole := true
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			whole = k.Run(ctx)
		}()
		k.Keep(some(1))
		sleep(25 * time.Second)
		k.Keep(some(2))
		sleep(time.Second)
		if len(told) != 1 || told[0] == nil || flushed != 4 {
			t.Fatalf("told %v after %d attempts", told, flushed)
		}
		if err := os.Remove(path + ".new"); err != nil {
			t.Fatal(err)
		}
		sleep(10 * time.Second)
		if s, err := Load(path); len(told) != 2 || told[1] != nil || err != nil || !reflect.DeepEqual(s, some(2)) {
			t.Errorf("told %v; %+v, %v", told, s, err)
		}
		k.Keep(some(2))
		sleep(time.Minute)
		if flushed != 5 {
			t.Error("what the file has already is written again")
		}
		if err := os.Mkdir(path+".new", 0o700); err != nil {
			t.Fatal(err)
		}
		k.Keep(some(3))
		cancel()
		mu.Unlock()
		<-done
		if s, err := Load(path); whole || err != nil || !reflect.DeepEqual(s, some(2)) {
			t.Errorf("at the end: %v, %+v, %v", whole, s, err)
		}
		if errors.Is(told[len(told)-1], os.ErrNotExist) {
			t.Errorf("told %v", told)
		}
	})
}
