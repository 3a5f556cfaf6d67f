/** Every word the page says, in one place. A translation is another object of this shape. */
import type { JoinProblem } from "../call/state";
import type { DeviceTrouble } from "../media/devices";

export const texts = {
  product: "Meeshy Calls",
  lobby: {
    title: "Ready to join?",
    subtitle: "Check how you look and sound, then step in.",
    name: "Your name",
    namePlaceholder: "How others will see you",
    room: "Room",
    roomHint: "Everyone who enters the same room name is in the same call.",
    newRoom: "Suggest another name",
    join: "Join call",
    joining: "Joining…",
    copyLink: "Copy invite link",
    copied: "Link copied",
    needName: "Please enter your name.",
    needRoom: "Please enter a room name.",
    preview: "Your camera preview",
    cameraOff: "Camera is off",
    cameraStarting: "Starting camera…",
    noCamera: "No camera",
    level: "Microphone level",
    devices: "Devices",
  },
  devices: {
    microphone: "Microphone",
    camera: "Camera",
    speaker: "Speaker",
    systemDefault: "System default",
    none: "None found",
    blocked: "Blocked",
    unnamed: (kind: string, number: number) => `${kind} ${String(number)}`,
  },
  join: {
    invalid: "This name or room name cannot be used. Letters, digits and spaces, up to 64, always can.",
    full: "This call is full.",
    busy: "The server is busy. Please try again in a moment.",
    unreachable: "The server could not be reached. Check your connection and try again.",
    refused: "The server did not let you in. Please try again.",
    unsupported:
      "This browser cannot make video calls. Please use a current Chrome, Edge, Firefox or Safari.",
  } satisfies Record<JoinProblem, string>,
  trouble: {
    microphone: {
      denied: "Microphone is blocked. Allow it next to the address bar, then try again.",
      missing: "No microphone was found. You can join and listen.",
      busy: "Another program is using your microphone. Close it, then try again.",
      unsupported: "The microphone only works on a secure (https) page. You can join and listen.",
      lost: "Your microphone was disconnected.",
      failed: "The microphone could not be started.",
    },
    camera: {
      denied: "Camera is blocked. Allow it next to the address bar, then try again.",
      missing: "No camera was found. You can join without.",
      busy: "Another program is using your camera. Close it, then try again.",
      unsupported: "The camera only works on a secure (https) page. You can join without.",
      lost: "Your camera was disconnected.",
      failed: "The camera could not be started.",
    },
    both: {
      title: "Camera and microphone are blocked",
      text: "Click the camera symbol next to the address bar, choose “Allow”, then try again. You can also join now: you will see and hear the others.",
    },
    screen: {
      denied: "Screen sharing was not allowed.",
      missing: "There is nothing to share.",
      busy: "The screen could not be captured.",
      unsupported: "This browser cannot share the screen.",
      lost: "Screen sharing ended.",
      failed: "Screen sharing could not be started.",
    },
    retry: "Try again",
  } satisfies Record<"microphone" | "camera" | "screen", Record<DeviceTrouble, string>> &
    Record<string, unknown>,
  controls: {
    group: "Call controls",
    mute: "Mute",
    unmute: "Unmute",
    microphoneBlocked: "Microphone unavailable, try again",
    cameraOn: "Turn camera on",
    cameraOff: "Turn camera off",
    cameraBlocked: "Camera unavailable, try again",
    shareScreen: "Share screen",
    stopSharing: "Stop sharing",
    devices: "Settings",
    fullScreen: "Full screen",
    leaveFullScreen: "Leave full screen",
    copyLink: "Copy invite link",
    leave: "Leave call",
    close: "Close",
    short: {
      microphone: "Mic",
      camera: "Camera",
      screen: "Share",
      stopScreen: "Stop",
      devices: "Settings",
      fullScreen: "Full screen",
      copyLink: "Invite",
      leave: "Leave",
    },
    shortcut: (key: string) => ` (${key})`,
  },
  call: {
    main: (room: string) => `Call in ${room}`,
    people: (count: number) => (count === 1 ? "Only you" : `${String(count)} people`),
    you: "You",
    yourScreen: "Your screen",
    screenOf: (name: string) => `${name}’s screen`,
    youAreSharing: "You are sharing your screen",
    guest: "Guest",
    aloneTitle: "You are the only one here",
    aloneText: "Send the link to whoever should join you.",
    muted: "Muted",
    cameraIsOff: "Camera off",
    held: "Video paused, weak connection",
    pin: "Put on stage",
    unpin: "Take off stage",
    tile: (name: string, muted: boolean, video: boolean) =>
      [name, muted ? "muted" : "", video ? "" : "camera off"].filter((part) => part !== "").join(", "),
    previousPage: "Previous page",
    nextPage: "Next page",
    page: (page: number, pages: number) => `Page ${String(page)} of ${String(pages)}`,
    soundBlocked: "Your browser is waiting for a click before it plays sound.",
    playSound: "Turn sound on",
  },
  link: {
    connecting: "Connecting…",
    connected: "Connected",
    reconnecting: "Reconnecting…",
  },
  notice: {
    joined: (name: string) => `${name} joined`,
    left: (name: string) => `${name} left`,
    sharing: (name: string) => `${name} is sharing the screen`,
    stoppedSharing: (name: string) => `${name} stopped sharing`,
    linkCopied: "Invite link copied",
    copyFailed: "The link could not be copied. Copy it from the address bar.",
    muted: "Microphone muted",
    unmuted: "Microphone on",
    cameraOn: "Camera on",
    cameraOff: "Camera off",
    reconnecting: "Connection interrupted, reconnecting",
    reconnected: "Connected again",
  },
  left: {
    self: "You left the call",
    lost: "Connection lost. Call ended.",
    lostHint: "We tried to bring you back, but the server could not be reached.",
    duration: (text: string) => `You were in ${text}`,
    rejoin: "Rejoin",
    home: "Back to start",
  },
} as const;

/** `m:ss`, from an hour on `h:mm:ss`. */
export function clock(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, "0");
  return hours > 0
    ? `${String(hours)}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${String(minutes)}:${seconds}`;
}
