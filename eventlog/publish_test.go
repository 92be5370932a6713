package eventlog

import (
	"testing"
	"testing/synctest"
	"time"
)

// unsynced is a store whose updates are there before they are synced.
type unsynced struct {
	*memory
	sync chan struct{}
}

func (u unsynced) update(do func(writer) error) error {
	err := u.memory.update(do)
	<-u.sync
	return err
}

// What the store has is shown once it is synced, and the log's state tells of it.
func TestNothingIsShownTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, err := Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		disk := unsynced{log.store.(*memory), make(chan struct{})}
		log.store = disk
		committed := make(chan error)
		go func() {
			committed <- log.commit([]Entry{{Time: time.Now(), Sender: "s", Event: "e", Data: []byte("1")}})
		}()
		synctest.Wait()
		id := log.State().Last + 1
		shown := make(chan bool)
		go func() {
			found, err := log.Events(t.Context(), Query{})
			shown <- err == nil && len(found.Entries) == 1 && log.State().Last == id
		}()
		go func() {
			_, ok, err := log.Event(id)
			shown <- err == nil && ok && log.State().Last == id
		}()
		synctest.Wait()
		select {
		case <-shown:
			t.Error("it is shown before it is synced")
		default:
		}
		close(disk.sync)
		if err := <-committed; err != nil {
			t.Error(err)
		}
		for range 2 {
			if !<-shown {
				t.Error("it is not shown once it is synced")
			}
		}
	})
}
