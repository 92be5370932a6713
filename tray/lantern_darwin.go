//go:build cgo && !ios

package tray

/*
#cgo CFLAGS: -x objective-c -fobjc-arc
#cgo LDFLAGS: -framework Cocoa
#import <Cocoa/Cocoa.h>

// stop: takes effect with the next event, so there must be one.
static void stopLoop(void) {
	dispatch_async(dispatch_get_main_queue(), ^{
		[NSApp stop:nil];
		[NSApp postEvent:[NSEvent otherEventWithType:NSEventTypeApplicationDefined
		                                    location:NSMakePoint(0, 0)
		                               modifierFlags:0
		                                   timestamp:0
		                                windowNumber:0
		                                     context:nil
		                                     subtype:0
		                                       data1:0
		                                       data2:0]
		         atStart:YES];
	});
}
*/
import "C"

import (
	"context"
	"log/slog"
)

func prepare(context.Context, *slog.Logger) bool { return true }

// stopLoop ends the library's loop. The library's own Quit exits the process
// from within, before the program has ended.
func stopLoop() { C.stopLoop() }

func escape(text string) string { return text }
