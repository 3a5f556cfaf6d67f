/** The events between this client and the gateway, by name: what each carries and what it is acknowledged with. */
import type {
  ActiveSpeakerEvent,
  AnsweredElsewhere,
  Authenticated,
  CallError,
  CallInitiated,
  CallRef,
  Caption,
  ConsumerPaused,
  ConsumerRef,
  Credentials,
  Diagnostics,
  DirectoryChanged,
  EndAck,
  Ended,
  Incoming,
  Initiate,
  Initiated,
  Join,
  JoinDto,
  Leave,
  LeaveAck,
  MediaServer,
  MediaStateChange,
  MediaToggled,
  ModeSwitch,
  ModeSwitchAck,
  ModeSwitched,
  NewProducer,
  Ongoing,
  ParticipantJoined,
  ParticipantLeft,
  ParticipantMediaState,
  ParticipantRef,
  Presence,
  ProducerClosed,
  QualityReport,
  Reject,
  Rejected,
  SfuProof,
  SignalEvent,
  SignalRequest,
  Started,
  SwitchGap,
  Toggle,
  TranscriptionEvent,
} from "./generated";

/** What the gateway sends. */
export interface GatewayEvents {
  authenticated: Authenticated;
  "call:initiated": CallInitiated;
  "call:incoming": Incoming;
  "call:joined": JoinDto;
  "call:participant-joined": ParticipantJoined;
  "call:started": Started;
  "call:rejected": Rejected;
  "call:answered-elsewhere": AnsweredElsewhere;
  "call:signal": SignalEvent;
  "call:media-toggled": MediaToggled;
  "call:participant-media-state": ParticipantMediaState;
  "call:media-server": MediaServer;
  "call:mode-switch": ModeSwitch;
  "call:mode-switched": ModeSwitched;
  "new-producer": NewProducer;
  "producer-closed": ProducerClosed;
  "consumer-paused": ConsumerPaused;
  "consumer-resumed": ConsumerPaused;
  "call:participant-left": ParticipantLeft;
  "call:rejoined": JoinDto;
  "call:transcription": TranscriptionEvent;
  "call:active-speaker": ActiveSpeakerEvent;
  "call:ongoing": Ongoing;
  "call:ended": Ended;
  "call:error": CallError;
  "directory:changed": DirectoryChanged;
  "directory:presence": Presence;
}

export const GATEWAY_EVENTS = [
  "authenticated",
  "call:initiated",
  "call:incoming",
  "call:joined",
  "call:participant-joined",
  "call:started",
  "call:rejected",
  "call:answered-elsewhere",
  "call:signal",
  "call:media-toggled",
  "call:participant-media-state",
  "call:media-server",
  "call:mode-switch",
  "call:mode-switched",
  "new-producer",
  "producer-closed",
  "consumer-paused",
  "consumer-resumed",
  "call:participant-left",
  "call:rejoined",
  "call:transcription",
  "call:active-speaker",
  "call:ongoing",
  "call:ended",
  "call:error",
  "directory:changed",
  "directory:presence",
] as const satisfies readonly (keyof GatewayEvents)[];

/** What this client sends: the payload, then what comes back. */
export interface GatewayRequests {
  "call:initiate": [Initiate, Initiated];
  "call:join": [Join, JoinDto];
  "call:accept": [Join, JoinDto];
  "call:reject": [Reject, undefined];
  "call:leave": [Leave, LeaveAck];
  "call:end": [CallRef, EndAck];
  "call:signal": [SignalRequest, undefined];
  "call:toggle-audio": [Toggle, undefined];
  "call:toggle-video": [Toggle, undefined];
  "call:toggle-screen-share": [Toggle, undefined];
  "call:media-state-change": [MediaStateChange, undefined];
  "call:connected": [ParticipantRef, undefined];
  "call:mode-switch-ack": [ModeSwitchAck, undefined];
  "call:retry-switch": [CallRef, undefined];
  "call:sfu-proof": [SfuProof, undefined];
  "call:switch-gap": [SwitchGap, undefined];
  "call:rejoin": [ParticipantRef, JoinDto];
  "resume-consumer": [ConsumerRef, undefined];
  "pause-consumer": [ConsumerRef, undefined];
  "call:transcription": [Caption, undefined];
  "call:quality-report": [QualityReport, undefined];
  "call:diagnostics": [Diagnostics, undefined];
  "call:refresh-credentials": [CallRef, Credentials];
  "call:kick": [ParticipantRef, undefined];
}

export type GatewayRequestName = keyof GatewayRequests;

/** Who one is: a registered user, or a guest who came by a link. */
export type GatewayCredentials = { token: string } | { sessionToken: string };
