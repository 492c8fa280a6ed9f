/** The tab's stream for React. */
import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import { me } from "../api/queries";
import { type LiveEvent, LiveStream, type Pulse, type View } from "./stream";

const Context = createContext<LiveStream | null>(null);

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [stream] = useState(
    () =>
      new LiveStream(() =>
        client.fetchQuery({ ...me(), staleTime: 0 }).then(
          () => true,
          (error: { status?: number }) => error.status !== 401,
        ),
      ),
  );
  useEffect(() => () => stream.end(), [stream]);
  return <Context value={stream}>{children}</Context>;
}

export function useStream(): LiveStream {
  const stream = useContext(Context);
  if (!stream) throw new Error("no live stream above this component");
  return stream;
}

export function usePulse(): Pulse {
  const stream = useStream();
  return useSyncExternalStore(stream.subscribe, stream.snapshot);
}

/** A pace of asking (ms) for what the stream does not carry; none while paused or long out of sight. */
export function usePace(ms: number): number | false {
  const stream = useStream();
  const status = useSyncExternalStore(stream.subscribe, () => stream.snapshot().status);
  return status === "paused" || status === "hidden" ? false : ms;
}

export function useView({ project, view, q, range, ref }: View): void {
  const stream = useStream();
  useEffect(
    () => stream.look({ project, view, q, range, ref }),
    [stream, project, view, q, range, ref],
  );
}

/** Hear one kind of event; `listener` must be stable. */
export function useLive(event: LiveEvent, listener: (data: unknown) => void): void {
  const stream = useStream();
  useEffect(() => stream.on(event, listener), [stream, event, listener]);
}
