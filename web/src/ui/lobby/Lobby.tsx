import { useCall } from "../context";
import { Logo } from "../parts/Logo";
import { JoinForm } from "./JoinForm";
import { Preview } from "./Preview";
import { DeviceSelects } from "../parts/DeviceSelects";
import { PermissionNote } from "./PermissionNote";

export function Lobby() {
  const { phase } = useCall();
  return (
    <div className="lobby" data-testid="lobby-screen" aria-busy={phase === "joining"}>
      <header className="lobby-header">
        <Logo />
      </header>
      <main className="lobby-main">
        <section className="lobby-stage">
          <Preview />
          <PermissionNote />
          <DeviceSelects />
        </section>
        <JoinForm />
      </main>
    </div>
  );
}
