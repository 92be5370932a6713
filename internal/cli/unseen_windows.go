package cli

import "golang.org/x/sys/windows"

// showUnseen shows an error in a window if there is no standard error to read it from, as
// with sigalertw.exe, and somebody to click it away: services and tasks of nobody who has
// logged in run in session 0.
func showUnseen(text string) {
	if kind, _ := windows.GetFileType(windows.Stderr); kind != windows.FILE_TYPE_UNKNOWN {
		return
	}
	var session uint32
	if windows.ProcessIdToSessionId(windows.GetCurrentProcessId(), &session) != nil || session == 0 {
		return
	}
	words, err := windows.UTF16PtrFromString(text)
	if err != nil {
		return // there is a NUL in it
	}
	name, _ := windows.UTF16PtrFromString("sigalert")
	_, _ = windows.MessageBox(0, words, name, windows.MB_ICONERROR|windows.MB_SETFOREGROUND)
}
