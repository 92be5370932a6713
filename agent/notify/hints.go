//go:build linux || freebsd || netbsd || openbsd

package notify

import (
	"math"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

const desktopEntry = "sigalert"

// hints returns what Notify takes by name. replaces is the number of what n takes the place
// of; 0: nothing.
func (srv server) hints(n Notification, t *tracked, replaces uint32) map[string]dbus.Variant {
	hints := map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(urgencyLevel(n.Urgency)),
		"desktop-entry": dbus.MakeVariant(desktopEntry),
	}
	if n.Key != "" && (replaces == 0 || srv.Name != "mako") { // mako 1.7 crashes if it is to replace by both
		hints["x-canonical-private-synchronous"] = dbus.MakeVariant(n.Key)
	}
	switch {
	case n.Sound == "":
	case n.Sound == noSound:
		hints["suppress-sound"] = dbus.MakeVariant(true)
	case !srv.sounds:
	case filepath.IsAbs(n.Sound):
		hints["sound-file"] = dbus.MakeVariant(n.Sound)
	default:
		hints["sound-name"] = dbus.MakeVariant(n.Sound)
	}
	if n.Image.valid() {
		hints["image-data"] = dbus.MakeVariant(n.Image.data())
	}
	if t.reply >= 0 {
		hints["x-kde-reply-placeholder-text"] = dbus.MakeVariant(cleanLabel(n.Actions[t.reply].Label))
	}
	return hints
}

// imageData is the image-data hint, of the signature (iiibiiay).
type imageData struct {
	Width, Height, RowStride int32
	HasAlpha                 bool
	BitsPerSample, Channels  int32
	Pixels                   []byte
}

// valid reports whether there is an image that can be sent.
func (i *Image) valid() bool {
	return i != nil && i.Width > 0 && i.Height > 0 && i.Width <= maxSide && i.Height <= maxSide &&
		len(i.Pixels) == 4*i.Width*i.Height
}

func (i *Image) data() imageData {
	return imageData{int32(i.Width), int32(i.Height), int32(4 * i.Width), true, 8, 4, i.Pixels}
}

// urgencyLevel is the number that the notification specification gives u.
func urgencyLevel(u Urgency) byte {
	switch u {
	case Low:
		return 0
	case Critical:
		return 2
	default:
		return 1
	}
}

// expireTimeout is what Notify takes: milliseconds, -1 for as long as the server chooses, 0 for ever.
func expireTimeout(d time.Duration) int32 {
	switch {
	case d == 0:
		return -1
	case d < 0:
		return 0
	}
	return int32(min(max(d.Milliseconds(), 1), math.MaxInt32))
}
