package tray

import (
	"context"

	"sigalert/internal/wait"
	"sigalert/internal/words"
)

// How long the lists are. With these numbers the menu has fewer than 60 items,
// separators and hidden ones included.
const (
	MaxRecent        = 10
	MaxSubscriptions = 15

	maxActions      = 10 // of all recent alerts together; those of the newest come first
	maxAlertActions = 3
)

// noAction is the row of the alert itself.
const noAction = -1

// A recentList is the submenu of the last alerts, each followed by its actions: an
// item that had them under it could not be clicked itself.
type recentList struct {
	title *entry
	rows  []*row
	read  *entry
}

func (m *menu) addRecent() recentList {
	l := recentList{title: m.add(nil, "Recent alerts", func(ctx context.Context) {
		if m.agent.State().Unread > 0 && wait.Sleep(ctx, reading, nil) {
			m.agent.MarkRead()
		}
	})}
	for range MaxRecent + maxActions {
		r := &row{}
		r.entry = m.add(l.title, "", func(context.Context) {
			alert, _, ok := r.target()
			if !ok {
				return
			}
			m.agent.MarkRead()
			if alert.action == noAction {
				m.agent.ShowAgain(alert.number)
			} else {
				m.agent.Act(alert.number, alert.action)
			}
		})
		r.show(face{hidden: true})
		l.rows = append(l.rows, r)
	}
	l.read = m.add(l.title, markRead, func(context.Context) { m.agent.MarkRead() })
	return l
}

// markRead is for the desktops that do not say when the menu is opened.
const markRead = "Mark all as read"

func (l recentList) show(unread int, recent []Recent) {
	l.title.show(face{label: numbered("Recent alerts", unread, "new"), disabled: len(recent) == 0})
	rows, actions := l.rows, maxActions
	for _, alert := range recent[:min(len(recent), MaxRecent)] {
		ending := ""
		if alert.Why != "" {
			ending = " (" + alert.Why + ")"
		}
		rows[0].stand(thing{alert.Number, noAction}, false, face{label: fit(alert.Time+"  "+alert.Title, ending)})
		rows = rows[1:]
		n := min(len(alert.Actions), maxAlertActions, actions)
		actions -= n
		for _, a := range alert.Actions[:n] {
			rows[0].stand(thing{alert.Number, a.Index}, false, face{label: fit("      → "+a.Label, "")})
			rows = rows[1:]
		}
	}
	for _, r := range rows {
		r.show(face{hidden: true})
	}
	l.read.show(face{label: markRead, hidden: unread == 0})
}

// A subscriptionList is the submenu of the subscriptions, each with a check that is
// off while it is muted.
type subscriptionList struct {
	title *entry
	rows  []*row
	more  *entry
}

func (m *menu) addSubscriptions() subscriptionList {
	l := subscriptionList{title: m.add(nil, "Subscriptions", nil)}
	for range MaxSubscriptions {
		r := &row{}
		r.entry = m.addCheck(l.title, "", func(context.Context) {
			if subscription, muted, ok := r.target(); ok {
				m.agent.Mute(subscription.number, !muted)
			}
		})
		r.show(face{hidden: true})
		l.rows = append(l.rows, r)
	}
	l.more = m.add(l.title, "", nil)
	return l
}

func (l subscriptionList) show(s Lists) {
	l.title.show(face{label: numbered("Subscriptions", s.Muted, "muted"), disabled: len(s.Subscriptions) == 0})
	n := min(len(s.Subscriptions), MaxSubscriptions)
	for i, sub := range s.Subscriptions[:n] {
		ending := ""
		if sub.State != "" {
			ending = " (" + sub.State + ")"
		}
		l.rows[i].stand(thing{number: sub.Line}, sub.Muted, face{label: fit(sub.Label, ending), checked: !sub.Muted})
	}
	for _, r := range l.rows[n:] {
		r.show(face{hidden: true})
	}
	more := len(s.Subscriptions) - n + s.More
	l.more.show(face{label: "and " + words.Number(more) + " more: see sigalert status", disabled: true, hidden: more == 0})
}
