//go:build !windows

package tray

import _ "embed"

// The library keeps the slices that it is given, so these are never changed.
var (
	//go:embed icons/connected.png
	connectedIcon []byte
	//go:embed icons/connecting.png
	connectingIcon []byte
	//go:embed icons/paused.png
	pausedIcon []byte
	//go:embed icons/trouble.png
	troubleIcon []byte
)
