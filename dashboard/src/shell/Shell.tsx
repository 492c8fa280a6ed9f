/** The frame of a project: rail, top bar, page, and what floats above them. */
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { useSheet } from "../actions/sheet";
import { Toasts } from "../actions/Toasts";
import { me } from "../api/queries";
import { LiveProvider } from "../live/context";
import { setBrainNow } from "../ui/clock";
import { dismiss, useNotices } from "../ui/notice";
import { Part } from "../ui/Part";
import { Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { useOverlay } from "./overlay";
import { Rail } from "./Rail";
import css from "./shell.module.css";
import { TopBar } from "./TopBar";
import { useShellKeys } from "./useShellKeys";

const Sheet = lazy(() => import("../actions/Sheet").then((m) => ({ default: m.Sheet })));
const Palette = lazy(() => import("./Palette").then((m) => ({ default: m.Palette })));
const KeySheet = lazy(() => import("./KeySheet").then((m) => ({ default: m.KeySheet })));

function Notices() {
  const notices = useNotices();
  return (
    <div className={css.notices} role="status">
      {notices.map((notice) => (
        <button
          key={notice.id}
          type="button"
          className={css.notice}
          data-tone={notice.tone}
          onClick={() => dismiss(notice.id)}
        >
          <Text value={notice.text} />
        </button>
      ))}
    </div>
  );
}

function Frame() {
  useShellKeys();
  const request = useSheet();
  const overlay = useOverlay();
  const { data, dataUpdatedAt } = useQuery(me());
  useEffect(() => {
    if (data && Date.now() - dataUpdatedAt < 2000) setBrainNow(data.server.now_at);
  }, [data, dataUpdatedAt]);
  return (
    <>
      <div className={css.frame}>
        <TopBar />
        <Rail />
        <main className={css.main} id="main">
          <Suspense fallback={<Skeleton rows={20} />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Part name="dialog">
        <Suspense fallback={null}>
          <Toasts />
          {request && <Sheet request={request} />}
          {overlay === "palette" && <Palette />}
          {overlay === "keys" && <KeySheet />}
        </Suspense>
      </Part>
      <Notices />
    </>
  );
}

export function Shell() {
  return (
    <LiveProvider>
      <Frame />
    </LiveProvider>
  );
}
