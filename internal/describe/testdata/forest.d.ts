// Forest 1.0: the types of its events, made from the server's own.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServer, ServerToClient } from "./client";
//   const socket: Socket<ServerToClient, ClientToServer> = io("http://localhost:3000");

export interface ClientToServer {
  fell: (request: Record<string, never>, ack: (answer: Answer<unknown>) => void) => void;
  plant: (request: PlantIn, ack: (answer: Answer<PlantOut | Point>) => void) => void;
}

export interface ServerToClient {
  fell: (payload: Tree | Point) => void;
  grown: (payload: Tree) => void;
}

export type Answer<T> = ({ ok: true } & T) | Refused;

export interface Refused {
  ok: false;
  error: Refusal;
}

export type Color = "red" | "green";

export type Moment = string;

export interface PlantIn {
  tree: Tree;
  deep?: boolean;
}

export interface PlantOut {
  tree: Tree;
}

export interface Point {
  x: number;
  y?: number;
}

export interface Refusal {
  code: string;
}

export type Span = [number, number];

export interface Tree {
  y: number;
  color: Color;
  word?: string;
  at?: Moment;
  spans: Span[];
  children?: Tree[];
  parent: Tree | null;
  counts: Record<string, number>;
  settings: Record<string, unknown>;
  x: number;
}
