package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"qun/internal/auth"
	"qun/internal/chat"
)

const (
	// root is where the operations are.
	root = "/api/v1"

	// smallBody is how large a body may be unless its route says more.
	smallBody = 64 << 10
	// bodyTime is how long a body may take to arrive, answerTime how long an answer may take to be made and fetched.
	bodyTime   = 10 * time.Second
	answerTime = 60 * time.Second
)

// register is the list of what can be asked, a file for each noun.
func (s *server) register(mux *http.ServeMux) {
	s.registerSession()
	s.registerRegistration()
	s.registerMe()
	s.registerDevices()
	s.registerBots()
	s.registerAdmin()
	s.registerUsers()
	s.registerGroups()
	s.registerMembers()
	s.registerGroupActs()
	s.registerMessages()
	s.registerMessageActs()
	s.registerSearch()
	s.registerFiles(mux)
	s.registerWebhooks()
	s.registerWebPush()
	s.registerModeration()
	s.registerServerSettings()
	s.registerGovernment()
	s.registerOverview()
}

// route is one operation: how it is documented, and what is asked before its handler runs.
type route struct {
	ID      string // the operationId: the name of the same request on a socket, where there is one
	Method  string
	Path    string // below root
	Tag     string // its noun
	Summary string // one sentence for who reads the document
	Who     who
	// Scope is what a bot's token must allow; "" means read for what only reads, and manage for all else.
	Scope auth.Scope

	// Body is how many bytes a body may have; 0 means 64 KB.
	Body int64
	// Throttled routes make sessions or try secrets: they share the allowance of an address for new connections.
	Throttled bool
	// Refuses are the codes it may answer beyond those that any operation may.
	Refuses []chat.Code
}

// who says whose requests a route answers.
type who int

const (
	anybody        who = iota // also nobody
	somebody                  // a guest or a member
	members                   // who has an account, bots included
	persons                   // who has an account of its own: no bot
	administrators            // of the server
)

// answer registers a route whose handler's result, encoded as JSON, or error is its answer. In is a struct with the
// parameters in fields tagged path, query or header, and the body in a field Body.
func answer[In, Out any](s *server, r route, handle func(context.Context, *caller, *In) (Out, error)) {
	type reply struct{ Body Out }
	huma.Register(s.api, s.operation(r), func(ctx context.Context, in *In) (*reply, error) {
		x := exchangeOf(ctx)
		out, err := handle(ctx, &x.caller, in)
		if err != nil {
			return nil, s.failure(x.r, err)
		}
		return &reply{out}, nil
	})
}

// act registers a route that has nothing to say but that it is done.
func act[In any](s *server, r route, handle func(context.Context, *caller, *In) error) {
	huma.Register(s.api, s.operation(r), func(ctx context.Context, in *In) (*struct{}, error) {
		x := exchangeOf(ctx)
		if err := handle(ctx, &x.caller, in); err != nil {
			return nil, s.failure(x.r, err)
		}
		return nil, nil
	})
}

// raw registers an operation that reads its request by itself; describe adds to the document what no type says.
func (s *server) raw(mux *http.ServeMux, r route, handle func(http.ResponseWriter, *http.Request, *caller), describe func(*huma.Operation, huma.Registry)) {
	op := s.operation(r)
	describe(&op, s.api.OpenAPI().Components.Schemas)
	s.api.OpenAPI().AddOperation(&op)
	mux.HandleFunc(r.Method+" "+op.Path, func(w http.ResponseWriter, req *http.Request) {
		c := &caller{request: req, header: w.Header()}
		if err := s.admit(&r, w, c); err != nil {
			s.fail(w, req, err)
			return
		}
		handle(w, req, c)
	})
}

// newAPI lays the operations on a mux. The library reads parameters and bodies, checks them and writes the document;
// what is refused, and how that is said, is ours.
func (s *server) newAPI(mux *http.ServeMux) huma.API {
	schemas := huma.NewMapRegistry("#/components/schemas/", schemaName)
	schemas.RegisterTypeAlias(timeType, stdTimeType)
	config := huma.Config{
		OpenAPI:       document(s.Version, schemas),
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.reword},
	}
	config.AllowAdditionalPropertiesByDefault = true // clients may know more than this server, as on the socket
	return huma.NewAPI(config, adapter{s, mux})
}

func (s *server) operation(r route) huma.Operation {
	if r.Body == 0 {
		r.Body = smallBody
	}
	return huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: root + r.Path, Summary: r.Summary, Tags: []string{r.Tag},
		MaxBodyBytes: r.Body, BodyReadTimeout: bodyTime,
		Security:    security(r.Who),
		Responses:   map[string]*huma.Response{},
		Metadata:    map[string]any{routeKey: &r},
		Middlewares: huma.Middlewares{s.gate(&r)},
	}
}

// routeKey is where an operation keeps its route.
const routeKey = "route"

// gate lets a request through to its handler, or answers why not.
func (s *server) gate(route *route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		x := exchangeOf(ctx.Context())
		if err := s.admit(route, x.w, &x.caller); err != nil {
			s.fail(x.w, x.r, err)
			return
		}
		if takesJSON(ctx.Operation()) && !isJSON(x.r) {
			s.fail(x.w, x.r, refuseType())
			return
		}
		next(ctx)
	}
}

// adapter is the mux as the library wants it.
type adapter struct {
	server *server
	*http.ServeMux
}

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	a.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{humaContext: humago.NewContext(op, r, w), w: w, r: r, caller: caller{request: r, header: w.Header()}}
		x.ctx = context.WithValue(r.Context(), exchangeKey{}, x)
		handle(x)
	})
}

type humaContext = huma.Context

// exchange is one request on its way to its answer.
type exchange struct {
	humaContext
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context // carries the exchange through the library to its handler
	caller caller
	status int // of a refusal, when it is not the one that the library chose
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// Context implements huma.Context.
func (x *exchange) Context() context.Context { return x.ctx }

// SetStatus implements huma.Context.
func (x *exchange) SetStatus(status int) {
	if x.status != 0 {
		status = x.status
	}
	x.humaContext.SetStatus(status)
}

// jsonFormat writes text as it is, and reads nothing that nests too deep.
var jsonFormat = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		if deeperThan(data, maxDepth) {
			return fmt.Errorf("nested deeper than %d", maxDepth)
		}
		return plainly(json.Unmarshal(data, v))
	},
}

// plainly says what is wrong with a body in the words of JSON, where the library would name types of Go.
func plainly(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &wrongType{strings.TrimPrefix(wrong.Field, "Body."), jsonTypeOf(wrong.Type), wrong.Value}
	}
	return err
}

// wrongType says that a field of a body is of another type than it must be. It holds nothing of what was sent.
type wrongType struct{ field, want, got string }

// Error implements error.
func (w *wrongType) Error() string {
	got, _, _ := strings.Cut(w.got, " ") // "number 1.5" says what was sent
	return fmt.Sprintf("%s must be %s, not %s", cmp.Or(w.field, "the body"), w.want, got)
}

// jsonTypeOf is what JSON calls a type.
func jsonTypeOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return jsonTypeOf(t.Elem())
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// maxDepth is how deep JSON may nest, the same as on a socket.
const maxDepth = 32

// deeperThan reports whether JSON nests deeper than limit. Of what is no JSON it says anything.
func deeperThan(data []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func statusText(status int) string { return strconv.Itoa(status) }
