package tray

import _ "embed"

// The library keeps the slices that it is given, so these are never changed.
var (
	//go:embed icons/connected.ico
	connectedIcon []byte
	//go:embed icons/connecting.ico
	connectingIcon []byte
	//go:embed icons/paused.ico
	pausedIcon []byte
	//go:embed icons/trouble.ico
	troubleIcon []byte
)
