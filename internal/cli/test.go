package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/internal/age"
	"sigalert/internal/plain"
	"sigalert/internal/wait"
)

const (
	showTime  = 10 * time.Second // for the desktop to answer
	soundTime = 3 * time.Second  // for a program to play a sound: it ends with us
	seenTime  = 10 * time.Second // for somebody to see what ends with us
	maxImage  = 16 << 20         // of the file, in bytes
)

// trial is what test shows, and for how long it waits for an answer.
type trial struct {
	title, body, urgency, image, sound string
	actions                            []string
	wait                               time.Duration
}

func (p *program) test() *cobra.Command {
	var t trial
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Show one notification",
		Long: `Sends one notification the way alerts are sent, and says which program showed it.
With --action or --wait it then waits until somebody clicks or closes it, and says
which. Without a desktop that shows it, the exit code is 1; "sigalert doctor" says
what is missing.`,
		Example: `  sigalert test
  sigalert test --urgency critical --title "Door" --body "Somebody rings." --action Open --action Later
  sigalert test --image photo.jpg --sound message-new-instant --wait 10s`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := t.notification()
			if err != nil {
				return err
			}
			if len(t.actions) > 0 && !cmd.Flags().Changed("wait") {
				t.wait = time.Minute
			}
			return p.showTest(cmd.Context(), n, t.wait)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.title, "title", agent.TestAlert().Title, "the `TEXT` of the first line")
	flags.StringVar(&t.body, "body", agent.TestAlert().Body, "the `TEXT` below it")
	flags.StringVar(&t.urgency, "urgency", notify.Normal.String(), "low, normal or critical")
	flags.StringArrayVar(&t.actions, "action", nil, "a button with this `LABEL`; may be repeated")
	flags.StringVar(&t.image, "image", "", "show the picture in this `FILE`: PNG, JPEG or GIF")
	flags.StringVar(&t.sound, "sound", "", `play a sound: its `+"`NAME`"+` in the desktop's theme, such as message-new-instant, or a file with its path; "none" is silence`)
	flags.DurationVar(&t.wait, "wait", 0, "wait for so long for a click, or until it is closed (with --action: 1m)")
	return cmd
}

func (t trial) notification() (n notify.Notification, err error) {
	n = notify.Notification{Title: t.title, Body: t.body, Sound: t.sound, Key: agent.TestAlert().Key}
	if n.Urgency, err = notify.ParseUrgency(t.urgency); err != nil {
		return n, usage(fmt.Errorf("--urgency: %w", err))
	}
	if t.wait < 0 {
		return n, usage(fmt.Errorf("--wait: %s is less than nothing: use a duration such as 30s", t.wait))
	}
	for _, label := range t.actions {
		if strings.TrimSpace(label) == "" {
			return n, usage(errors.New("--action: a button requires a label"))
		}
		n.Actions = append(n.Actions, notify.Action{Label: label})
	}
	if strings.ContainsAny(t.sound, `/\`) {
		if n.Sound, err = filepath.Abs(t.sound); err == nil {
			err = regularFile(n.Sound)
		}
		if err != nil {
			return n, fmt.Errorf("--sound: %w", err)
		}
	}
	if t.image != "" {
		if n.Image, err = readImage(t.image); err != nil {
			return n, fmt.Errorf("--image: %w", err)
		}
	}
	return n, nil
}

// regularFile refuses what may never end, such as a pipe.
func regularFile(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	return err
}

func readImage(path string) (*notify.Image, error) {
	if err := regularFile(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxImage+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxImage:
		return nil, fmt.Errorf("%s has more than %d MiB", path, maxImage>>20)
	}
	image, err := notify.ReadImage(data)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return image, err
}

// showTest shows a notification, and waits for so long for what becomes of it.
func (p *program) showTest(ctx context.Context, n notify.Notification, patience time.Duration) error {
	responses := make(chan notify.Response, 1)
	desktop := p.newDesktop(func(r notify.Response) {
		select {
		case responses <- r:
		default: // the first one counts
		}
	})
	defer desktop.Close()
	if patience > 0 {
		n.Ref, n.Click = 1, true
	}
	showing, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	receipt, err := desktop.Notify(showing, n)
	if err != nil {
		return fmt.Errorf("the notification was not shown: %w\n%q says what is missing", err, "sigalert doctor")
	}
	fmt.Fprintf(p.out, "shown by %s", receipt.Via)
	if receipt.ID != 0 {
		fmt.Fprintf(p.out, ", as number %d", receipt.ID)
	}
	fmt.Fprintln(p.out)
	stay := time.Duration(0)
	if receipt.Fleeting {
		stay = seenTime
	}
	server, err := desktop.Server(showing)
	if err == nil {
		p.sayLimits(n, server)
	}
	switch {
	case patience > 0 && receipt.ID == 0:
		fmt.Fprintln(p.out, "it does not say what becomes of it")
	case patience > 0:
		p.sayResponse(ctx, n, patience, responses)
	case n.Sound != "" && n.Sound != "none" && !slices.Contains(server.Capabilities, "sound"):
		stay = max(stay, soundTime)
	}
	wait.Sleep(ctx, stay, nil)
	return nil
}

// sayLimits says what of a notification its server does not show.
func (p *program) sayLimits(n notify.Notification, server notify.Server) {
	if server.Inhibited {
		fmt.Fprintln(p.out, "do not disturb is on: it shows nothing at present")
	}
	if len(n.Actions) > 0 && !slices.Contains(server.Capabilities, "actions") {
		fmt.Fprintln(p.out, "it has no buttons: they were left out")
	}
}

// sayResponse waits for the first response, and says what it is.
func (p *program) sayResponse(ctx context.Context, n notify.Notification, patience time.Duration, responses <-chan notify.Response) {
	fmt.Fprintf(p.out, "waiting for a click, for %s at most\n", age.Text(patience))
	over := time.NewTimer(patience)
	defer over.Stop()
	select {
	case r := <-responses:
		fmt.Fprintln(p.out, became(n, r))
	case <-over.C:
		fmt.Fprintln(p.out, "nobody has clicked or closed it")
	case <-ctx.Done():
		fmt.Fprintln(p.out, "nobody has clicked or closed it yet")
	}
}

// became says what became of a notification.
func became(n notify.Notification, r notify.Response) string {
	switch r.Kind {
	case notify.Clicked:
		return "it was clicked"
	case notify.Acted:
		return fmt.Sprintf("the button %q was pressed", plain.Line(n.Actions[r.Action].Label, 100))
	case notify.Dismissed:
		return "somebody closed it"
	case notify.Expired:
		return "its time was over, and the desktop took it away"
	}
	return "it was taken away, and the desktop does not say by whom"
}
