package notify

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"
)

// balloonTime is how long a balloon's icon stays in the tray. Windows closes the balloon
// itself earlier.
const balloonTime = 12 * time.Second

// balloons shows alerts beside an icon of their own in the tray, where Windows has no
// toasts, as on servers without that part of it, and Wine.
type balloons struct {
	window windows.HWND
	closed chan struct{}
	ended  chan struct{}

	mu    sync.Mutex // guards the fields below
	icon  bool       // it is in the tray
	until *time.Timer
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

// newBalloons returns nil where there are toasts.
func newBalloons() *balloons {
	if hasToasts() {
		return nil
	}
	b := &balloons{closed: make(chan struct{}), ended: make(chan struct{})}
	began := make(chan struct{})
	go func() { // a window lives as long as its thread
		defer close(b.ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		b.window = messageWindow()
		close(began)
		<-b.closed
		if b.window != 0 {
			_, _, _ = destroyWindow.Call(uintptr(b.window))
		}
	}()
	<-began
	return b
}

var (
	user32          = windows.NewLazySystemDLL("user32.dll")
	createWindowEx  = user32.NewProc("CreateWindowExW")
	destroyWindow   = user32.NewProc("DestroyWindow")
	loadIcon        = user32.NewProc("LoadIconW")
	shellNotifyIcon = windows.NewLazySystemDLL("shell32.dll").NewProc("Shell_NotifyIconW")
)

// messageWindow returns 0 if there is none.
func messageWindow() windows.HWND {
	const onlyMessages = ^uintptr(2) // HWND_MESSAGE, which is -3
	class, _ := windows.UTF16PtrFromString("STATIC")
	window, _, _ := createWindowEx.Call(0, uintptr(unsafe.Pointer(class)), 0, 0, 0, 0, 0, 0, onlyMessages, 0, 0, 0)
	return windows.HWND(window)
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
	addIcon, modifyIcon, deleteIcon   = 0, 1, 2      // NIM_
	hasIcon, hasTip, hasInfo          = 2, 4, 0x10   // NIF_
	infoKind, warningKind, silentKind = 1, 2, 0x10   // NIIF_
	informationIcon, warningIcon      = 32516, 32515 // IDI_
)

// show shows a balloon in place of the one before.
func (b *balloons) show(title, text string, urgent, rings bool) error {
	if b.window == 0 {
		return errors.New("Windows has no toasts, and no tray")
	}
	picture := uintptr(informationIcon)
	n := notifyIcon{window: b.window, id: 1, flags: hasIcon | hasTip | hasInfo, kind: infoKind}
	if urgent {
		n.kind, picture = warningKind, warningIcon
	}
	if !rings {
		n.kind |= silentKind
	}
	icon, _, _ := loadIcon.Call(0, picture)
	n.size, n.icon = uint32(unsafe.Sizeof(n)), windows.Handle(icon)
	put(n.tip[:], title)
	put(n.title[:], title)
	if text == "" {
		text = title // without a text there is no balloon
	}
	put(n.info[:], text)
	b.mu.Lock()
	defer b.mu.Unlock()
	do := uintptr(addIcon)
	if b.icon {
		do = modifyIcon
		b.until.Stop()
	}
	if ok, _, err := shellNotifyIcon.Call(do, uintptr(unsafe.Pointer(&n))); ok == 0 {
		return fmt.Errorf("the tray does not take a balloon: %w", err)
	}
	b.icon = true
	b.until = time.AfterFunc(balloonTime, b.remove)
	return nil
}

// remove takes the icon out of the tray.
func (b *balloons) remove() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.icon {
		return
	}
	b.until.Stop()
	n := notifyIcon{window: b.window, id: 1}
	n.size = uint32(unsafe.Sizeof(n))
	_, _, _ = shellNotifyIcon.Call(deleteIcon, uintptr(unsafe.Pointer(&n)))
	b.icon = false
}

func (b *balloons) close() {
	if b == nil {
		return
	}
	b.remove()
	close(b.closed)
	<-b.ended
}

// put writes a text into a field, as much of it as fits with a zero.
func put(field []uint16, text string) {
	units, err := syscall.UTF16FromString(text)
	if err != nil {
		return // it has a NUL, which has been removed before
	}
	if len(units) > len(field) {
		units = append(units[:len(field)-2:len(field)-2], '…', 0)
	}
	copy(field, units)
}
