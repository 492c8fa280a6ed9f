/** Shapes of the REST and SSE contract, under one name. */
export type * from "./acts";
export type * from "./fleet";
export type * from "./schedules";
export type * from "./task";
