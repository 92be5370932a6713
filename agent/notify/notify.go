package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"sigalert/internal/plain"
)

// ErrNoDesktop is wrapped by the error of [Desktop.Notify] when nothing here could
// show a notification. The error's text says why, and what to do.
var ErrNoDesktop = errors.New("no desktop to show a notification on")

var errClosed = errors.New("desktop is closed")

// Urgency says how much a notification may disturb. The zero value is Normal.
type Urgency uint8

// The urgencies. The desktop decides what they mean; most desktops keep a Critical
// notification on the screen until it is dismissed.
const (
	Normal Urgency = iota
	Low
	Critical
)

// String returns "normal", "low" or "critical".
func (u Urgency) String() string {
	switch u {
	case Normal:
		return "normal"
	case Low:
		return "low"
	case Critical:
		return "critical"
	default:
		return fmt.Sprintf("urgency(%d)", uint8(u))
	}
}

// ParseUrgency is the inverse of [Urgency.String]. Its error names the three values.
func ParseUrgency(s string) (Urgency, error) {
	for _, u := range []Urgency{Low, Normal, Critical} {
		if s == u.String() {
			return u, nil
		}
	}
	return Normal, fmt.Errorf("unknown urgency %q: must be low, normal or critical", s)
}

// A Notification is what to show.
type Notification struct {
	Title   string // one line; when empty, the app name
	Body    string // plain text, may have several lines, may be empty
	Urgency Urgency

	// URL, when not empty, is what a click on the notification should open: it comes
	// with the [Response]. Where clicks are not reported, it is the body's last line:
	// by D-Bus servers without actions, and by beeep.
	URL string
	// Icon, when not empty, is the name of a themed icon, or the path of an image
	// file, to show in place of [Options.Icon]. Only D-Bus has themes; elsewhere a
	// name is ignored.
	Icon string
	// Image, when not nil, is a picture to show beside the text. Only D-Bus servers
	// show it.
	Image *Image
	// Sound, when not empty, is the name of a sound in the desktop's theme, or the
	// path of a sound file, to play; "none" is silence. Where a D-Bus server plays no
	// sounds, a program does. On Windows and macOS any sound is the system's own.
	Sound string
	// Timeout is how long the notification stays on the screen; 0: as the desktop
	// chooses; below 0: until it is closed. Only D-Bus servers take it, as a wish.
	Timeout time.Duration
	// Actions are buttons, of which at most 64 are shown, and none without a Ref.
	// Where the server has none, they are left out.
	Actions []Action

	// Click asks for clicks on the notification itself to be reported although there
	// is no URL. It needs a Ref.
	Click bool
	// Ref, when not 0, is what [Options.Responded] knows the notification by.
	Ref uint64

	// Key, when not empty, makes the notification replace the last one with the
	// same key while that is still on the screen. The last 256 keys are
	// remembered. Only D-Bus and balloons can replace; elsewhere the key is ignored.
	Key string
	// Resolved closes the last one with the same key, if that is still on the
	// screen, and shows nothing. Where beeep has shown that one, it shows the title
	// once more, with "Resolved".
	Resolved bool
}

// Cut returns the notification with no more text than is shown: the rest is not
// worth keeping.
func (n Notification) Cut() Notification {
	n.Title, n.Body, n.Key = plain.Line(n.Title, maxTitle), cleanBody(n.Body), ShortKey(n.Key)
	return n
}

// Line is the notification as one line of a log.
func (n Notification) Line() string {
	line := n.Title
	if n.Resolved {
		line += " (resolved)"
	}
	if n = n.spelledOut(); n.Body != "" {
		line += " | " + n.Body
	}
	return plain.Line(line, 500)
}

// spelledOut has the address as the body's last line.
func (n Notification) spelledOut() Notification {
	if n.URL != "" && !strings.Contains(n.Body, n.URL) {
		n.Body = strings.TrimPrefix(n.Body+"\n", "\n") + n.URL
	}
	return n
}

// over is what a program shows that cannot take n's alert away.
func (n Notification) over() Notification {
	return Notification{Title: n.Title, Body: "Resolved", Urgency: Low}
}

// An Action is a button of a notification, or, with Reply, a line to type into.
type Action struct {
	Label string // one line, cut after 60 characters
	Reply bool   // shown by servers with "inline-reply", for the first of several
}

// A Response is what somebody did with a notification, or what became of it.
type Response struct {
	Ref    uint64 // the notification's
	Kind   ResponseKind
	URL    string // of Clicked: the notification's
	Action int    // of Acted and Replied: its index
	Text   string // of Replied; at most 2,000 characters
}

// ResponseKind says what a Response tells of.
type ResponseKind uint8

// The kinds of responses.
const (
	Clicked   ResponseKind = iota // on the notification itself
	Acted                         // on a button
	Replied                       // a text was typed
	Dismissed                     // somebody closed it
	Expired                       // its time was over
	Withdrawn                     // a program closed it, perhaps us, or nobody says why it was closed
)

// A Receipt says who took a notification.
type Receipt struct {
	Via string // such as "dunst 1.9.0 (knopwob) over D-Bus" or "beeep"
	ID  uint32 // the server's number for it; 0 if it gave none

	Fleeting bool // it goes when the Desktop is closed
}

// A Server is what shows the notifications.
type Server struct {
	Name, Vendor, Version string
	Capabilities          []string // as the notification specification names them
	Inhibited             bool     // it says that it shows nothing at present: "do not disturb" is on
}

// Options adjusts a [Desktop]. Nil and the zero value work.
type Options struct {
	AppName string       // shown as the sender of the notifications; default "sigalert"
	Icon    string       // path of a PNG file, or on D-Bus a themed icon's name; default none
	Logger  *slog.Logger // gets what no error says, such as that beeep had to stand in; default silent

	// Responded is called with what becomes of the last 256 notifications that have
	// a Ref, and with the clicks on those that have only a URL, in the order of the
	// bus; perhaps before Notify returns. It must not wait, nor call the Desktop.
	// Default: nothing is reported, there are no actions, and URLs are shown.
	Responded func(Response)
}

const (
	defaultAppName = "sigalert"
	noSound        = "none"
)

// A Desktop shows notifications on this machine's desktop.
type Desktop struct {
	closing context.Context // ended by Close
	close   context.CancelFunc
	turn    chan struct{} // holds one token while backend is in use
	appName string
	backend *backend
	screen  atomic.Pointer[Screen] // as it was after the last use of backend; nil: before the first
}

// New returns a Desktop. It starts nothing and dials nothing: the first Notify does.
func New(opts *Options) *Desktop {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.AppName = cleanTitle(o.AppName, defaultAppName)
	o.Icon = usablePath(o.Icon)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	closing, cancel := context.WithCancel(context.Background())
	return &Desktop{
		closing: closing,
		close:   cancel,
		turn:    make(chan struct{}, 1),
		appName: o.AppName,
		backend: newBackend(closing, o),
	}
}

// Notify shows n, or closes what it resolves, and reports who took it. It blocks until the desktop has
// answered, but never longer than until ctx ends; callers should bound ctx, as a
// desktop that hangs does not answer at all. After an error a later Notify may
// work: nothing has to be set up again. If ctx ended first, the error wraps
// ctx.Err(), and the notification may still appear.
func (d *Desktop) Notify(ctx context.Context, n Notification) (receipt Receipt, err error) {
	n.Title = cleanTitle(n.Title, d.appName)
	n.Body = cleanBody(n.Body)
	n.Key = ShortKey(n.Key)
	n.URL = usable(n.URL)
	n.Icon = usablePath(n.Icon)
	n.Sound = usablePath(n.Sound)
	err = d.inTurn(ctx, func(ctx context.Context) error {
		receipt, err = d.backend.notify(ctx, n)
		return err
	})
	return receipt, err
}

// Server says what shows the notifications now, and starts it if the first
// notification would. Like Notify, it blocks no longer than until ctx ends.
func (d *Desktop) Server(ctx context.Context) (found Server, err error) {
	err = d.inTurn(ctx, func(ctx context.Context) error {
		found, err = d.backend.describe(ctx)
		return err
	})
	return found, err
}

// inTurn calls use when no other call uses the backend.
func (d *Desktop) inTurn(ctx context.Context, use func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.closing, func() { cancel(errClosed) })()

	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ended(ctx)
	}
	if d.closing.Err() != nil {
		return errClosed
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	err := use(ctx)
	d.screen.Store(new(d.backend.screen()))
	return err
}

// Close ends the notifications under way, waits for them, and closes the
// connection to the desktop, which ends godbus's reader. Afterwards Notify fails.
// Notifications on the screen stay, unless they are fleeting. A beeep call that its
// Notify left running cannot be stopped: it goes on until it returns by itself.
func (d *Desktop) Close() error {
	d.close()
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.backend.close()
	return nil
}

// ended is the error for a call that ctx, which is done, cut short.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errClosed) {
		return errClosed
	}
	return ctx.Err()
}

// usable drops what cannot be sent.
func usable(s string) string {
	if len(s) > maxLink || s != plain.Line(s, maxLink) {
		return ""
	}
	return s
}

// usablePath also makes a path absolute, as other programs' working directory is not ours,
// and leaves out one to a pipe or a device, which a desktop may read for ever.
func usablePath(name string) string {
	name = usable(name)
	if !strings.ContainsRune(filepath.ToSlash(name), '/') {
		return name
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	if info, err := os.Stat(abs); err == nil && !info.Mode().IsRegular() {
		return ""
	}
	return abs
}
