package postgres

type waker struct{}

func newWaker(*Store) *waker { return &waker{} }

func (w *waker) changed(string) {}
func (w *waker) close()         {}
