package describe

import "encoding/json"

// object is a JSON object; encoding/json writes its keys in order, so the same protocol is the same text.
type object = map[string]any

// AsyncAPI is the protocol as an AsyncAPI 3 document. The application it describes is the server: it receives
// requests, replies, and sends pushes.
func (p *Protocol) AsyncAPI() []byte {
	types, exchanges, pushes := p.shapes()
	refused := object{
		"type": "object", "required": []string{"ok", "error"},
		"properties": object{"ok": object{"const": false}, "error": schema(types.of(p.Refusal))},
	}
	schemas := object{"Refused": refused}
	for _, s := range types.named() {
		schemas[s.name] = definition(s)
	}
	d := document{messages: object{}, addresses: object{}, operations: object{}}
	for _, e := range exchanges {
		d.exchange(e)
	}
	for _, e := range pushes {
		d.push(e)
	}
	text, err := json.Marshal(object{
		"asyncapi":           "3.0.0",
		"info":               object{"title": p.Title, "version": p.Version, "description": p.Description},
		"defaultContentType": "application/json",
		"servers": object{"here": object{
			"host": "{host}", "pathname": "/socket.io/", "protocol": "socketio", "protocolVersion": "5",
			"variables": object{"host": object{"default": "localhost:3000"}},
			"security":  []object{reference("components", "securitySchemes", "token")},
		}},
		"channels":   object{"chat": object{"address": "/", "description": "The namespace.", "messages": d.addresses}},
		"operations": d.operations,
		"components": object{
			"messages":        d.messages,
			"schemas":         schemas,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
	})
	if err != nil {
		panic(err) // it is made of texts
	}
	return text
}

// document gathers messages, the channel's references to them, and operations.
type document struct {
	messages, addresses, operations object
}

// exchange adds a request and its ack.
func (d *document) exchange(e exchange) {
	asked := d.message(e.name+"-request", e.name, schema(e.in))
	answers := []object{}
	for _, out := range e.outs {
		answers = append(answers, answer(out))
	}
	answered := d.message(e.name+"-answer", e.name, object{"anyOf": append(answers, reference("components", "schemas", "Refused"))})
	d.operations[e.name] = object{
		"action": "receive", "channel": channel, "messages": []object{asked},
		"reply": object{"channel": channel, "messages": []object{answered}},
	}
}

func (d *document) push(e push) {
	payloads := []object{}
	for _, s := range e.payloads {
		payloads = append(payloads, schema(s))
	}
	sent := d.message(e.name+"-push", e.name, object{"anyOf": payloads})
	d.operations[e.name+"-push"] = object{"action": "send", "channel": channel, "messages": []object{sent}}
}

// message adds a message and gives the reference by which operations name it: requests and pushes may share an event's name.
func (d *document) message(key, event string, payload object) object {
	d.messages[key] = object{"name": event, "payload": payload}
	d.addresses[key] = reference("components", "messages", key)
	return reference("channels", "chat", "messages", key)
}

var channel = reference("channels", "chat")

// answer is what an ack holds when all went well.
func answer(out *shape) object {
	ok := object{"type": "object", "required": []string{"ok"}, "properties": object{"ok": object{"const": true}}}
	if out.empty() {
		return ok
	}
	return object{"allOf": []object{ok, schema(out)}}
}

func reference(path ...string) object {
	to := "#"
	for _, step := range path {
		to += "/" + step
	}
	return object{"$ref": to}
}

// schema is how a type is referred to.
func schema(s *shape) object {
	if s.name != "" {
		return reference("components", "schemas", s.name)
	}
	return definition(s)
}

func definition(s *shape) object {
	switch s.form {
	case formMap:
		return object{"type": "object", "additionalProperties": schema(s.item)}
	case formList:
		return object{"type": "array", "items": schema(s.item)}
	case formTuple:
		return object{"type": "array", "items": schema(s.item), "minItems": s.length, "maxItems": s.length}
	case formText:
		return object{"type": "string"}
	case formTime:
		return object{"type": "string", "format": "date-time"}
	case formEnum:
		return object{"type": "string", "enum": s.values}
	case formInteger:
		return object{"type": "integer"}
	case formNumber:
		return object{"type": "number"}
	case formBool:
		return object{"type": "boolean"}
	default:
		return objectOf(s.fields)
	}
}

func objectOf(fields []field) object {
	made := object{"type": "object"}
	properties, required := object{}, []string{}
	for _, f := range fields {
		properties[f.name] = schema(f.shape)
		if f.nullable {
			properties[f.name] = object{"oneOf": []object{schema(f.shape), {"type": "null"}}}
		}
		if !f.optional {
			required = append(required, f.name)
		}
	}
	if len(fields) > 0 {
		made["properties"] = properties
	}
	if len(required) > 0 {
		made["required"] = required
	}
	return made
}
