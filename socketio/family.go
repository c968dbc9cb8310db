package socketio

import (
	"encoding/json"
	"regexp"
	"slices"
)

// A Family is a set of namespaces that are alike, and are made when clients ask for them. They share the family's
// middlewares and handlers, and may have more of their own, see Server.OnNamespace. A namespace of a family is gone when its
// last socket is, unless Config.KeepEmptyNamespaces is set. The methods of a Family may be called from any goroutine.
type Family struct {
	registry

	server  *Server
	pattern *regexp.Regexp // or else
	admits  func(name string, auth json.RawMessage) bool
}

// OfPattern returns the family of the namespaces whose whole name, with its leading slash, matches the pattern. Each call
// makes another family; a name that several match belongs to the first. Namespaces that Of has made belong to none.
func (s *Server) OfPattern(pattern *regexp.Regexp) *Family {
	return s.addFamily(&Family{pattern: regexp.MustCompile(`\A(?:` + pattern.String() + `)\z`)})
}

// OfFunc returns the family of the namespaces that admits says yes to. It is asked when a client wants to join a namespace that is
// not there, with the name and the client's credentials, and should be quick: the client waits. See OfPattern.
func (s *Server) OfFunc(admits func(name string, auth json.RawMessage) bool) *Family {
	return s.addFamily(&Family{admits: admits})
}

func (s *Server) addFamily(f *Family) *Family {
	f.server = s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families = append(slices.Clip(s.families), f)
	return f
}

// Namespaces returns those namespaces of the family that are there at the moment, in no order.
func (f *Family) Namespaces() []*Namespace {
	f.server.mu.RLock()
	defer f.server.mu.RUnlock()
	var all []*Namespace
	for _, n := range f.server.namespaces {
		if n.family == f {
			all = append(all, n)
		}
	}
	return all
}

// Emit sends an event to all sockets of the family's namespaces that are there on this server; with an Adapter, sockets in
// them on other servers hear it too.
func (f *Family) Emit(event string, args ...any) error {
	for _, n := range f.Namespaces() {
		if err := n.Emit(event, args...); err != nil {
			return err
		}
	}
	return nil
}

// has says whether a name belongs to the family.
func (f *Family) has(name string, auth json.RawMessage) bool {
	if f.pattern != nil {
		return f.pattern.MatchString(name)
	}
	return f.admits(name, slices.Clone(auth))
}

// hooksOf may be called on nil.
func (f *Family) hooksOf() hooks {
	if f == nil {
		return hooks{}
	}
	return f.loadHooks()
}

// listenersOf may be called on nil.
func (f *Family) listenersOf() *listeners {
	if f == nil {
		return nil
	}
	return &f.events
}

// OnNamespace adds a function that is called for every namespace that is made, before its first socket is let in: the place to give
// it handlers of its own. It may be called from several goroutines, for different namespaces.
func (s *Server) OnNamespace(h func(*Namespace)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onNamespace = append(slices.Clip(s.onNamespace), h)
}

var (
	errNoNamespace       = &Error{Message: "Invalid namespace"}
	errTooManyNamespaces = &Error{Message: "too many namespaces"}
)

// claim returns the namespace that a client asks for, and sees to it that the namespace stays until release is called.
func (s *Server) claim(name string, auth json.RawMessage) (*Namespace, error) {
	n, families := s.claimKnown(name)
	if n == nil {
		i := slices.IndexFunc(families, func(f *Family) bool { return f.has(name, auth) })
		if i < 0 {
			return nil, errNoNamespace
		}
		if n = s.make(name, families[i]); n == nil {
			return nil, errTooManyNamespaces
		}
	}
	<-n.ready
	return n, nil
}

// claimKnown claims a namespace that is there, or returns the families that it may belong to.
func (s *Server) claimKnown(name string) (*Namespace, []*Family) {
	s.mu.RLock()
	n, families := s.namespaces[name], s.families
	s.mu.RUnlock()
	if n == nil || n.family == nil {
		return n, families
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n = s.namespaces[name]; n != nil {
		n.claims++
	}
	return n, families
}

// make makes a namespace of a family and claims it, unless there are too many, or somebody has made it meanwhile.
func (s *Server) make(name string, f *Family) *Namespace {
	s.mu.Lock()
	n := s.namespaces[name]
	if n != nil {
		n.claims++
		s.mu.Unlock()
		return n
	}
	if s.dynamic >= s.cfg.MaxDynamicNamespaces {
		s.mu.Unlock()
		return nil
	}
	s.dynamic++
	n = s.add(name, f)
	n.claims++
	introduce := s.onNamespace
	s.mu.Unlock()
	n.introduceTo(introduce)
	return n
}

// introduceTo tells about a namespace that was just made. Who wants to join it waits for that.
func (n *Namespace) introduceTo(hear []func(*Namespace)) {
	defer close(n.ready)
	for _, h := range hear {
		h(n)
	}
}

// release takes a claim back. A namespace of a family that nobody claims any more is forgotten, unless somebody may still
// come back to it, see Recovery.
func (s *Server) release(n *Namespace) {
	if n.family == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.claims--
	s.tidy(n)
}

// tidy forgets a namespace that is empty. s.mu is held.
func (s *Server) tidy(n *Namespace) {
	if n.family == nil || n.claims > 0 || s.cfg.KeepEmptyNamespaces || s.namespaces[n.name] != n || n.recovery.expects() {
		return
	}
	delete(s.namespaces, n.name)
	s.dynamic--
	if s.clustered.Load() {
		n.directory.watchNamespace(false)
	}
}
