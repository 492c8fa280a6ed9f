/** What selects offer, in words. The rule: the value is the document's, the label says what it does. */
type Choices = readonly (readonly [value: string, label: string])[];

export const KINDS: Choices = [
  ["cron", "cron text"],
  ["interval", "every so often"],
  ["calendar", "by days, weeks, months, years"],
  ["once", "once"],
  ["solar", "by the sun"],
  ["rrule", "iCalendar rule (RFC 5545)"],
  ["on_start", "once per new release"],
];
export const DIALECTS: Choices = [
  ["cron", "cron (with seconds, L, W, #, H)"],
  ["crontab", "crontab, strict"],
  ["celery", "Celery crontab"],
  ["croniter", "croniter (RQ)"],
  ["parse_crontab", "parse-crontab (rq-scheduler)"],
  ["apscheduler3", "APScheduler 3"],
  ["huey", "Huey"],
  ["arq", "arq"],
  ["pycron", "pycron (taskiq)"],
  ["robfig", "Kubernetes CronJob"],
  ["quartz", "Quartz"],
  ["eventbridge", "EventBridge"],
];
export const DST: Choices = [
  ["cron", "as cron: none lost or doubled"],
  ["first", "moved by the gap; a repeated hour counts once"],
  ["both", "a repeated time fires twice"],
  ["skip", "a time the clock skips is lost"],
  ["literal", "as the clock shows it: lost, then doubled"],
];
export const SUN: Choices = [
  ["sunrise", "sunrise"],
  ["sunset", "sunset"],
  ["solar_noon", "solar noon"],
  ["solar_midnight", "solar midnight"],
  ["dawn_civil", "civil dawn"],
  ["dusk_civil", "civil dusk"],
  ["dawn_nautical", "nautical dawn"],
  ["dusk_nautical", "nautical dusk"],
  ["dawn_astronomical", "astronomical dawn"],
  ["dusk_astronomical", "astronomical dusk"],
  ["golden_hour_start", "golden hour begins"],
  ["golden_hour_end", "golden hour ends"],
  ["blue_hour_start", "blue hour begins"],
  ["blue_hour_end", "blue hour ends"],
];
export const UNITS: Choices = [
  ["days", "days"],
  ["weeks", "weeks"],
  ["months", "months"],
  ["years", "years"],
];
export const OVERLAP: Choices = [
  ["allow", "fire anyway"],
  ["skip", "skip the new fire"],
  ["buffer_one", "keep the newest fire waiting"],
  ["buffer_all", "keep all fires waiting"],
  ["cancel_other", "cancel the task before"],
  ["terminate_other", "terminate the task before"],
];
export const CATCHUP: Choices = [
  ["skip", "fire none of them"],
  ["fire_one", "fire one of them"],
  ["fire_all", "fire all of them"],
];
export const ON_HIT: Choices = [
  ["skip", "skip the slot"],
  ["next_business_day", "move it to the next business day"],
  ["previous_business_day", "move it to the previous business day"],
];
