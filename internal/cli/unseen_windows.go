package cli

import "golang.org/x/sys/windows"

// showUnseen shows an error in a window if there is no standard error to read it from, as
// with sigalertw.exe.
func showUnseen(text string) {
	if kind, _ := windows.GetFileType(windows.Stderr); kind != windows.FILE_TYPE_UNKNOWN {
		return
	}
	words, err := windows.UTF16PtrFromString(text)
	if err != nil {
		return // there is a NUL in it
	}
	name, _ := windows.UTF16PtrFromString("sigalert")
	_, _ = windows.MessageBox(0, words, name, windows.MB_ICONERROR|windows.MB_SETFOREGROUND)
}
