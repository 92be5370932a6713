// Package e2e tests the built program as a user runs it, on a real desktop
// without a screen: Xvfb, a private session bus, dunst as the notification
// server, xfce4-panel as the tray host, and xdotool as the mouse. The log's page
// is tested in Chromium, with axe-core, which npm installs (axe/).
//
// There is nothing in it but tests, and they run on Linux. deps.sh installs
// what they need; a test whose tools are missing skips and says which, or
// fails if SIGALERT_TEST_ALL is 1. With SIGALERT_PICTURES set to a folder, the
// pictures of the documentation are written there. SIGALERT_KILLS=50 has
// TestKilledAgentMissesNothing kill the agent that often, which takes some minutes, and
// SIGALERT_TEST_LONG=1 has the tests of the network wait as long as real outages last, and
// TestDesktops try all desktops; TestPackageHere then installs packages on the machine, and
// purges them.
//
// The program is a process to these tests: run them with -count=1, as the Makefile
// does, because Go's test cache does not see that the program has changed.
package e2e
