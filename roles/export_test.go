package roles

// WithPage makes pages small, so that tests meet their ends.
func WithPage(size int) Option {
	return option(func(r *Reconciler) error { r.page = size; return nil })
}
