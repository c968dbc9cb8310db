package load

import "encoding/binary"

type opcode byte

const (
	opContinuation opcode = 0
	opText         opcode = 1
	opBinary       opcode = 2
	opClose        opcode = 8
	opPing         opcode = 9
	opPong         opcode = 10
)

// clientFrame is a masked text frame. The masking key is zero, which leaves the payload readable in place; a server
// unmasks it as any other.
func clientFrame(op opcode, payload []byte) []byte {
	frame := []byte{0x80 | byte(op), 0x80 | byte(len(payload))}
	if len(payload) >= 126 {
		frame[1] = 0x80 | 126
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(payload)))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, payload...)
}

// cutFrame takes the first frame of a server's bytes. Size 0 says that it is not there completely.
func cutFrame(b []byte) (op opcode, payload []byte, size int) {
	if len(b) < 2 {
		return 0, nil, 0
	}
	header, length := 2, int(b[1]&0x7f)
	switch length {
	case 126:
		if header = 4; len(b) < header {
			return 0, nil, 0
		}
		length = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if header = 10; len(b) < header {
			return 0, nil, 0
		}
		length = int(binary.BigEndian.Uint64(b[2:]))
	}
	if len(b)-header < length {
		return 0, nil, 0
	}
	return opcode(b[0] & 15), b[header : header+length], header + length
}
