package describe

import (
	"encoding/json"
	"fmt"
	"strings"
)

// TypeScript is the protocol as a declaration file for the official client: ServerToClient and ClientToServer are the two
// parameters of its Socket.
func (p *Protocol) TypeScript() []byte {
	types, exchanges, pushes := p.shapes()
	refusal := types.of(p.Refusal)
	var out strings.Builder
	fmt.Fprintf(&out, "// %s %s: the types of its events, made from the server's own.\n", p.Title, p.Version)
	out.WriteString(`//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServer, ServerToClient } from "./client";
//   const socket: Socket<ServerToClient, ClientToServer> = io("http://localhost:3000");

`)
	out.WriteString("export interface ClientToServer {\n")
	for _, e := range exchanges {
		fmt.Fprintf(&out, "  %s: (request: %s, ack: (answer: Answer<%s>) => void) => void;\n", e.name, typeOf(e.in), union(e.outs))
	}
	out.WriteString("}\n\nexport interface ServerToClient {\n")
	for _, e := range pushes {
		fmt.Fprintf(&out, "  %s: (payload: %s) => void;\n", e.name, union(e.payloads))
	}
	out.WriteString("}\n\nexport type Answer<T> = ({ ok: true } & T) | Refused;\n\n")
	fmt.Fprintf(&out, "export interface Refused {\n  ok: false;\n  error: %s;\n}\n", typeOf(refusal))
	for _, s := range types.named() {
		out.WriteString("\n" + declaration(s))
	}
	return []byte(out.String())
}

func declaration(s *shape) string {
	if s.form != formObject {
		return fmt.Sprintf("export type %s = %s;\n", s.name, written(s))
	}
	if s.empty() {
		return fmt.Sprintf("export type %s = %s;\n", s.name, nothing)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "export interface %s {\n", s.name)
	for _, f := range s.fields {
		mark, rest := "", ""
		if f.optional {
			mark = "?"
		}
		if f.nullable {
			rest = " | null"
		}
		fmt.Fprintf(&out, "  %s%s: %s%s;\n", f.name, mark, typeOf(f.shape), rest)
	}
	out.WriteString("}\n")
	return out.String()
}

// nothing is an object without fields.
const nothing = "Record<string, never>"

// union is any of the shapes, as what an answer has beside ok.
func union(shapes []*shape) string {
	var names []string
	for _, s := range shapes {
		if s.empty() {
			names = append(names, "unknown") // which disappears beside ok
			continue
		}
		names = append(names, typeOf(s))
	}
	return strings.Join(names, " | ")
}

// typeOf is how a type is referred to.
func typeOf(s *shape) string {
	if s.name != "" {
		return s.name
	}
	return written(s)
}

func written(s *shape) string {
	switch s.form {
	case formOpen:
		return "Record<string, unknown>"
	case formMap:
		return fmt.Sprintf("Record<%s, %s>", typeOf(s.key), typeOf(s.item))
	case formList:
		return listOf(s.item)
	case formTuple:
		return "[" + strings.TrimSuffix(strings.Repeat(typeOf(s.item)+", ", s.length), ", ") + "]"
	case formText, formTime:
		return "string"
	case formEnum:
		return literals(s.values)
	case formInteger, formNumber:
		return "number"
	case formBool:
		return "boolean"
	default:
		if !s.empty() {
			panic("describe: an object without a name")
		}
		return nothing
	}
}

func listOf(item *shape) string {
	if t := typeOf(item); !strings.Contains(t, " ") {
		return t + "[]"
	}
	return "Array<" + typeOf(item) + ">"
}

func literals(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		text, _ := json.Marshal(v) // a string always marshals
		quoted[i] = string(text)
	}
	return strings.Join(quoted, " | ")
}
