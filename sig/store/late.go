package store

import "time"

// write runs an operation that listeners and publishers wait for.
func (s *Store) write(operate func() error) error {
	ended := false // the lock guards it
	slow := time.AfterFunc(handLate, func() {
		s.mu.Lock()
		s.slow = !ended
		s.release()
	})
	err := s.awaited(operate)
	if !slow.Stop() {
		s.mu.Lock()
		ended, s.slow = true, false
		s.release()
	}
	return err
}

// awaited runs an operation that publishers wait for, but not too long.
func (s *Store) awaited(operate func() error) error {
	ended, counted := false, false // the lock guards them
	late := time.AfterFunc(keptLate, func() {
		s.mu.Lock()
		if !ended {
			counted = true
			s.late++
		}
		tell := counted && !s.told
		s.told = s.told || tell
		s.release()
		if tell {
			s.log.Error("the disk of the store does not answer: events are not kept until it does", "after", keptLate)
		}
	})
	err := operate()
	if late.Stop() {
		return err
	}
	s.mu.Lock()
	ended = true
	tell := counted && s.late == 1 && err == nil
	if counted {
		s.late--
	}
	if tell {
		s.told = false
	}
	s.release()
	if tell {
		s.log.Info("the disk of the store answers again")
	}
	return err
}
