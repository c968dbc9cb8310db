package describe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// form is one of the few that JSON has.
type form int

const (
	formObject form = iota // of fields
	formOpen               // an object of which nothing is known
	formMap
	formList
	formTuple
	formText
	formTime
	formEnum
	formInteger
	formNumber
	formBool
)

// shape is what a type is on the wire.
type shape struct {
	name   string // by which others refer to it; "": it is written where it is used
	form   form
	fields []field  // of an object
	key    *shape   // of a map
	item   *shape   // of a map, a list, a tuple
	length int      // of a tuple
	values []string // of an enum
}

type field struct {
	name     string
	shape    *shape
	optional bool
	nullable bool
}

// empty says that there is nothing to know: the shape of "no answer beside ok".
func (s *shape) empty() bool { return s.form == formObject && len(s.fields) == 0 }

// catalogue holds the shape of each type once.
type catalogue struct {
	shapes map[reflect.Type]*shape
	owners map[string]reflect.Type // whose the names are
	times  []reflect.Type
	enums  map[reflect.Type][]string
}

// named are the shapes that have names, by them.
func (c *catalogue) named() []*shape {
	var all []*shape
	for s := range maps.Values(c.shapes) {
		if s.name != "" {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *shape) int { return cmp.Compare(a.name, b.name) })
	return all
}

func (c *catalogue) all(types []reflect.Type) []*shape {
	var all []*shape
	for _, t := range types {
		all = append(all, c.of(t))
	}
	return all
}

// of is the shape of a type. It panics for one that JSON does not have, or that makes JSON of its own: the types are the
// program's, and a test describes them.
func (c *catalogue) of(t reflect.Type) *shape {
	t = pointee(t)
	if known := c.shapes[t]; known != nil {
		return known
	}
	s := &shape{}
	c.shapes[t] = s // before its fields are looked at: they may lead back
	s.name = c.claim(t)
	c.fill(s, t)
	return s
}

func pointee(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// claim is the name of a type, which is one word for one thing. What no one else can name, and text and numbers of an
// unexported type, have none.
func (c *catalogue) claim(t reflect.Type) string {
	first, size := utf8.DecodeRuneInString(t.Name())
	switch {
	case t.PkgPath() == "", t == raw, t.Kind() == reflect.Interface, t.Kind() != reflect.Struct && !unicode.IsUpper(first):
		return ""
	}
	name := string(unicode.ToUpper(first)) + t.Name()[size:]
	if other, taken := c.owners[name]; taken {
		panic(fmt.Sprintf("describe: %v and %v are both called %s", other, t, name))
	}
	c.owners[name] = t
	return name
}

var (
	raw       = reflect.TypeFor[json.RawMessage]()
	marshaler = reflect.TypeFor[json.Marshaler]()
)

func (c *catalogue) fill(s *shape, t reflect.Type) {
	switch {
	case t == raw: // nobody looks into it, but an object it is
		s.form = formOpen
		return
	case slices.Contains(c.times, t):
		s.form = formTime
		return
	case c.enums[t] != nil:
		s.form, s.values = formEnum, c.enums[t]
		return
	case t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler):
		panic(fmt.Sprintf("describe: %v makes its own JSON", t))
	}
	switch t.Kind() {
	case reflect.Struct:
		s.fields = c.fields(t)
	case reflect.Interface: // an answer without fields
	case reflect.Map:
		s.form, s.key, s.item = formMap, c.of(t.Key()), c.of(t.Elem())
	case reflect.Slice:
		s.form, s.item = formList, c.of(t.Elem())
	case reflect.Array:
		s.form, s.item, s.length = formTuple, c.of(t.Elem()), t.Len()
	case reflect.String:
		s.form = formText
	case reflect.Bool:
		s.form = formBool
	case reflect.Float32, reflect.Float64:
		s.form = formNumber
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.form = formInteger
	default:
		panic(fmt.Sprintf("describe: JSON has no %v", t))
	}
}

// fields are those that encoding/json writes: an embedded struct's as if they were the struct's own, unless it has one of
// that name.
func (c *catalogue) fields(t reflect.Type) []field {
	var own, embedded []field
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-", !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "":
			embedded = append(embedded, c.fields(pointee(f.Type))...)
		default:
			own = append(own, field{
				name: cmp.Or(name, f.Name), shape: c.of(f.Type),
				optional: strings.Contains(options, "omit"), nullable: f.Tag.Get("nullable") == "true",
			})
		}
	}
	for _, e := range embedded {
		if !slices.ContainsFunc(own, func(f field) bool { return f.name == e.name }) {
			own = append(own, e)
		}
	}
	return own
}
