package notify

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"

	"sigalert/internal/wait"
)

const (
	balloonTime = 12 * time.Second // for one: Windows shows one after the other
	maxBalloons = 8
	retryTray   = 100 * time.Millisecond
)

// balloons shows alerts beside icons of their own in the tray, where Windows has no
// toasts, as under Wine. An icon shows only its newest balloon, so each alert has its
// own, which stays until its balloon has had its turn.
type balloons struct {
	window windows.HWND
	end    func() // of the window
	last   uint32 // id; calls of show take turns

	mu    sync.Mutex // guards shown
	shown []balloon
}

type balloon struct {
	id  uint32
	key string
}

// toastStatics is the interface IToastNotificationManagerStatics.
var toastStatics = ole.NewGUID("50AC103F-D235-4598-BBEF-98FE4D1A3AD4")

// hasToasts reports whether Windows knows toasts.
func hasToasts() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if windows.NewLazySystemDLL("combase.dll").NewProc("RoGetActivationFactory").Find() != nil {
		return false
	}
	if ole.RoInitialize(1) == nil {
		defer ole.CoUninitialize()
	}
	factory, err := ole.RoGetActivationFactory("Windows.UI.Notifications.ToastNotificationManager", toastStatics)
	if err != nil {
		return false
	}
	factory.Release()
	return true
}

var (
	user32          = windows.NewLazySystemDLL("user32.dll")
	createWindowEx  = user32.NewProc("CreateWindowExW")
	loadIcon        = user32.NewProc("LoadIconW")
	shellNotifyIcon = windows.NewLazySystemDLL("shell32.dll").NewProc("Shell_NotifyIconW")
)

// newBalloons returns nil where there are toasts.
func newBalloons() *balloons {
	if hasToasts() {
		return nil
	}
	b := new(balloons)
	began := make(chan struct{})
	b.end = wait.Start(context.Background(), func(ctx context.Context) {
		runtime.LockOSThread()           // the thread ends with this goroutine, and its window with the thread
		const onlyMessages = ^uintptr(2) // HWND_MESSAGE, which is -3
		class, _ := windows.UTF16PtrFromString("STATIC")
		window, _, _ := createWindowEx.Call(0, uintptr(unsafe.Pointer(class)), 0, 0, 0, 0, 0, 0, onlyMessages, 0, 0, 0)
		b.window = windows.HWND(window)
		close(began)
		<-ctx.Done()
	})
	<-began
	return b
}

func (b *balloons) close() {
	if b == nil {
		return
	}
	b.remove(func(balloon) bool { return true })
	b.end()
}

// show shows a balloon, or removes the one that n resolves. It waits for a tray that is
// not there yet.
func (b *balloons) show(ctx context.Context, n Notification) error {
	b.remove(func(old balloon) bool { return n.Key != "" && old.key == n.Key })
	if n.Resolved {
		return nil
	}
	b.last++
	icon := notifyIcon{window: b.window, id: b.last, flags: hasIcon | hasTip | hasInfo, kind: infoKind}
	picture := uintptr(informationIcon)
	if n.Urgency == Critical {
		icon.kind, picture = warningKind, warningIcon
	}
	if !n.rings() {
		icon.kind |= silentKind
	}
	handle, _, _ := loadIcon.Call(0, picture)
	icon.icon = windows.Handle(handle)
	putWide(icon.tip[:], n.Title)
	putWide(icon.title[:], n.Title)
	putWide(icon.info[:], cmp.Or(n.Body, " ")) // without a text there is no balloon
	for !icon.tell(addIcon) {
		if !wait.Sleep(ctx, retryTray, nil) {
			return fmt.Errorf("%w: this Windows has neither toasts nor, at present, a tray", ErrNoDesktop)
		}
	}

	b.remove(func(old balloon) bool { return old.id+maxBalloons <= icon.id })
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown = append(b.shown, balloon{icon.id, n.Key})
	time.AfterFunc(time.Duration(len(b.shown))*balloonTime, func() {
		b.remove(func(old balloon) bool { return old.id == icon.id })
	})
	return nil
}

// remove takes icons out of the tray, with their balloons.
func (b *balloons) remove(which func(balloon) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shown = slices.DeleteFunc(b.shown, func(old balloon) bool {
		if which(old) {
			(&notifyIcon{window: b.window, id: old.id}).tell(deleteIcon)
			return true
		}
		return false
	})
}

// notifyIcon is NOTIFYICONDATAW.
type notifyIcon struct {
	size     uint32
	window   windows.HWND
	id       uint32
	flags    uint32
	callback uint32
	icon     windows.Handle
	tip      [128]uint16
	state    uint32
	mask     uint32
	info     [256]uint16
	timeout  uint32
	title    [64]uint16
	kind     uint32
	guid     windows.GUID
	large    windows.Handle
}

const (
	addIcon, deleteIcon               = 0, 2         // NIM_
	hasIcon, hasTip, hasInfo          = 2, 4, 0x10   // NIF_
	infoKind, warningKind, silentKind = 1, 2, 0x10   // NIIF_
	informationIcon, warningIcon      = 32516, 32515 // IDI_
)

// tell has the tray do something with the icon, and reports whether it has.
func (n *notifyIcon) tell(what uintptr) bool {
	n.size = uint32(unsafe.Sizeof(*n))
	ok, _, _ := shellNotifyIcon.Call(what, uintptr(unsafe.Pointer(n)))
	return ok != 0
}
