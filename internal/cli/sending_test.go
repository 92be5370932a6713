//go:build linux

package cli

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// guidePart is a part of a page of the documentation for the router at an address.
type guidePart string

func sendingPart(t *testing.T, heading, addr string) guidePart {
	t.Helper()
	return partOf(t, "sending.md", heading, addr)
}

func partOf(t *testing.T, page, heading, addr string) guidePart {
	t.Helper()
	doc, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(doc), "# "+heading+"\n")
	if !ok {
		t.Fatalf("docs/%s has no part %q", page, heading)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	part, _, _ = strings.Cut(part, "\n### ")
	host, port, _ := net.SplitHostPort(addr)
	return guidePart(strings.NewReplacer("3000", port, "HOST", host).Replace(part))
}

// blocks are the part's examples in a language.
func (s guidePart) blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	for _, rest := range strings.Split(string(s), "```"+language+"\n")[1:] {
		code, _, _ := strings.Cut(rest, "```")
		all = append(all, code)
	}
	if len(all) == 0 {
		t.Fatalf("there is no example in %s in: %s", language, s)
	}
	return all
}

// needProgram skips where a program is not installed, or fails if SIGALERT_TEST_ALL is 1.
func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatalf("%s is not installed, and SIGALERT_TEST_ALL is 1", name)
		}
		t.Skip(err)
	}
}

// sender is a folder in which examples run: programs that are put there come first.
type sender struct {
	dir, addr string
	events    <-chan string // what arrives, as "sender event data"
}

func newSender(t *testing.T) *sender {
	t.Helper()
	addr, server := routerItself(t)
	events := make(chan string, 100)
	server.AddListener("", "", func(ev sig.Event) {
		text, _ := ev.Data.JSON()
		events <- string(ev.Sender) + " " + string(ev.Event) + " " + string(text)
	})
	return &sender{t.TempDir(), addr, events}
}

// put writes a file: a program, if it is a script.
func (s *sender) put(t *testing.T, name, text string) string {
	t.Helper()
	path, mode := filepath.Join(s.dir, name), os.FileMode(0o600)
	if strings.HasPrefix(text, "#!") {
		mode = 0o700
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a program, which must succeed, and returns what it prints.
func (s *sender) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Setenv("PATH", s.dir+":"+os.Getenv("PATH"))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir, "SIGALERT_SERVER="+s.addr, "GORACE=atexit_sleep_ms=0")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, text)
	}
	return string(text)
}

// The examples do what docs/sending.md says.
func TestSendingExamples(t *testing.T) {
	for _, tc := range []struct {
		heading, language, file string
		program                 []string
		examples                int
		want, prints            []string
	}{
		{"Shell", "sh", "example.sh", []string{"sh", "-eu"}, 1, []string{
			`backup done {"message":"4 files","title":"Backup","urgency":"low"}`, `disk free "Filesystem `,
			`app error "ERROR 1"`, `app error "ERROR 2"`, `build started {"message":"make all: started"`, `build finished {"message":"make all: finished `,
		}, []string{"made\n"}},
		{"curl", "sh", "example.sh", []string{"sh", "-eu"}, 1, []string{
			`me hello "hello"`, `backup failed {"message":"The disk is full.","title":"Backup","urgency":"critical","url":"https://backup.example/log"}`,
			`attic read {"temp": 31.5}`, `disk free "Filesystem `,
		}, nil},
		{"Python", "python", "example.py", []string{"python3", "-I"}, 2, []string{
			`backup done {"title": "Backup", "message": "4 files", "urgency": "low"}`, `backup done {"title": "Backup", "message": "4 files"}`,
		}, []string{"1\n", "1\n"}},
		{"JavaScript", "js", "example.mjs", []string{"node"}, 1, []string{ // the other one is run in a browser, by e2e
			`backup done {"title":"Backup","message":"4 files","urgency":"low"}`,
		}, []string{""}},
		{"ssh", "sh", "example.sh", []string{"sh", "-eu"}, 2, []string{
			`backup done "4 files"`, `build started {"message":"ssh server make all: started"`, `build finished `,
		}, nil},
	} {
		t.Run(tc.heading, func(t *testing.T) {
			needProgram(t, tc.program[0])
			if tc.heading == "curl" {
				needProgram(t, "curl")
			}
			s := newSender(t)
			s.put(t, "app.log", "ERROR 1\nok\nERROR 2\n")
			s.put(t, "make", "#!/bin/sh\necho made\n")
			s.put(t, "ssh", "#!/bin/sh\ncase $1 in -R) exit;; esac\nshift\nexec sh -c \"$*\"\n") // its server's shell splits arguments, too
			for i, code := range sendingPart(t, tc.heading, s.addr).blocks(t, tc.language)[:tc.examples] {
				got := s.run(t, append(tc.program, s.put(t, tc.file, code))...)
				if tc.prints != nil && got != tc.prints[i] {
					t.Errorf("%s prints %q, not %q", tc.heading, got, tc.prints[i])
				}
			}
			for _, want := range tc.want {
				hears(t, s.events, want)
			}
			if len(s.events) > 0 {
				t.Errorf("too much: %s", <-s.events)
			}
		})
	}
}

func TestSendingByCron(t *testing.T) {
	s := newSender(t)
	_, command, _ := strings.Cut(sendingPart(t, "cron", s.addr).blocks(t, "cron")[0], " ")
	if got := s.run(t, "/bin/sh", "-c", command); got != "" {
		t.Errorf("cron would mail %q", got)
	}
	hears(t, s.events, "computer started null")
}

// ssh understands both ways to have a tunnel.
func TestSendingBySSH(t *testing.T) {
	needProgram(t, "ssh")
	s := newSender(t)
	part := sendingPart(t, "ssh", "127.0.0.1:3000")
	tunnel := strings.Fields(part.blocks(t, "sh")[0])
	line := regexp.MustCompile("`(RemoteForward [^`]*)`").FindStringSubmatch(string(part))
	if line == nil {
		t.Fatal("the line for ~/.ssh/config is missing")
	}
	file := s.put(t, "config", "Host server\n    "+line[1]+"\n")
	for _, args := range [][]string{append([]string{"ssh", "-G", "-F", "none"}, tunnel[1:]...), {"ssh", "-G", "-F", file, "server"}} {
		if got := s.run(t, args...); !strings.Contains(got, "\nremoteforward 3000 [127.0.0.1]:3000\n") {
			t.Errorf("%q means:\n%s", args, got)
		}
	}
}

// The units are right, and what they run sends what a unit said last.
func TestSendingBySystemd(t *testing.T) {
	needProgram(t, "systemd-analyze")
	s := newSender(t)
	units := sendingPart(t, "systemd", s.addr).blocks(t, "ini")
	template := s.put(t, "sigalert-failed@.service", units[0])
	unit := s.put(t, "backup.service", units[1]+"[Service]\nType=oneshot\nExecStart=/bin/true\n")
	if got := s.run(t, "systemd-analyze", "verify", "--man=no", unit, template); got != "" {
		t.Error(got)
	}
	s.put(t, "journalctl", "#!/bin/sh\necho \"$*\"\necho \"Failed with result 'exit-code'.\"\n")
	_, command, _ := strings.Cut(units[0], "\nExecStart=")
	s.run(t, "sh", "-c", strings.ReplaceAll(command, "%i", "backup.service"))
	hears(t, s.events, `systemd failed {"message":"-u backup.service -n 5 -o cat\nFailed with result 'exit-code'.","title":"backup.service failed","urgency":"critical"}`)
}

// screen takes notifications.
type screen chan notify.Notification

func (s screen) Notify(_ context.Context, n notify.Notification) (notify.Receipt, error) {
	s <- n
	return notify.Receipt{}, nil
}

// showing starts an agent, and returns what it shows once it has its subscriptions.
func showing(t *testing.T, c *config.Config) screen {
	t.Helper()
	shown := make(screen, 10)
	a := agent.New(agent.Options{Config: c, Notifier: shown})
	t.Cleanup(wait.Start(t.Context(), a.Run))
	for deadline := time.Now().Add(20 * time.Second); len(a.Status().Subscriptions) == 0 || a.Status().Subscriptions[0].Status != sig.Active; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the agent does not subscribe")
		}
	}
	return shown
}

// What each webhook posts is shown by its subscription as docs/sending.md says.
func TestSendingByWebhooks(t *testing.T) {
	needProgram(t, "curl")
	const asJSON = "Content-Type: application/json"
	for name, tc := range map[string]struct {
		heading string
		post    [][]string // arguments of curl, for each of the part's addresses
		want    notify.Notification
	}{
		"GitHub's form":  {"GitHub", [][]string{{"--data-urlencode", "payload@testdata/webhooks/github.json"}}, notify.Notification{Key: `tag "github" lighthouse main`}},
		"GitHub's JSON":  {"GitHub", [][]string{{"-H", asJSON, "--data-binary", "@testdata/webhooks/github.json"}}, notify.Notification{Key: `tag "github" lighthouse main`}},
		"Grafana":        {"Grafana", [][]string{{"-H", asJSON, "--data-binary", "@testdata/webhooks/grafana.json"}}, notify.Notification{URL: "http://grafana.example:PORT/alerting/list"}},
		"Alertmanager":   {"Alertmanager", [][]string{{"-H", asJSON, "--data-binary", "@testdata/webhooks/alertmanager.json"}}, notify.Notification{}},
		"Uptime Kuma":    {"Uptime Kuma", [][]string{{"-H", asJSON, "--data-binary", "@testdata/webhooks/uptime-kuma.json"}}, notify.Notification{}},
		"Home Assistant": {"Home Assistant", [][]string{{"-H", asJSON, "-d", `{"message": "It has been open for 10 minutes.", "title": "Front door"}`}, {"-H", asJSON, "-d", `{"title": "Front door", "message": "It has been open for 10 minutes.", "tag": "door", "resolved": false}`}}, notify.Notification{}},
	} {
		t.Run(name, func(t *testing.T) {
			addr, _ := routerItself(t)
			part := sendingPart(t, tc.heading, addr)
			c, err := config.Parse("docs/sending.md", []byte("server: "+addr+"\nsubscriptions:\n"+subscription(t, part)))
			if err != nil {
				t.Fatal(err)
			}
			shown := showing(t, c)
			addresses := regexp.MustCompile("http://"+addr+"/[^\\s\"`)]+").FindAllString(strings.ReplaceAll(string(part), "{{ event }}", "door"), -1)
			if len(addresses) != len(tc.post) {
				t.Fatalf("the addresses are %q", addresses)
			}
			for i, args := range tc.post {
				args = append([]string{"-sS", "-f", "--max-time", "20"}, append(args, addresses[i])...)
				if text, err := exec.Command("curl", args...).CombinedOutput(); err != nil {
					t.Fatalf("%q: %v\n%s", args, err, text)
				}
				select {
				case n := <-shown:
					if got, want := n.Title+"\n"+n.Body+"\n", part.blocks(t, "text")[0]; got != want {
						t.Errorf("it is shown as\n%snot\n%s", got, want)
					}
					_, port, _ := net.SplitHostPort(addr)
					if want := strings.Replace(tc.want.URL, "PORT", port, 1); n.URL != want || tc.want.Key != "" && n.Key != tc.want.Key {
						t.Errorf("it is shown with the url %q and the key %q", n.URL, n.Key)
					}
				case <-time.After(20 * time.Second):
					t.Fatal("nothing is shown")
				}
			}
		})
	}
}

// subscription is the part's; what else it has in YAML is another program's.
func subscription(t *testing.T, part guidePart) (found string) {
	t.Helper()
	for _, text := range part.blocks(t, "yaml") {
		if err := yaml.Unmarshal([]byte(text), new(any)); err != nil {
			t.Errorf("%v:\n%s", err, text)
		}
		if strings.HasPrefix(text, "- ") {
			found = text
		}
	}
	if found == "" {
		t.Fatal("there is no subscription")
	}
	return found
}
