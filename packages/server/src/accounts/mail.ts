/** Mail, where a server for it is configured. */
import { createTransport } from "nodemailer";
import type { ServerConfig } from "../config/config.ts";

export interface Mailer {
  send(to: string, subject: string, text: string): Promise<void>;
}

/** null where no mail is configured. */
export function createMailer({ smtp }: ServerConfig): Mailer | null {
  if (smtp.url === "") return null;
  const transport = createTransport({
    url: smtp.url,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
  });
  return {
    async send(to, subject, text) {
      await transport.sendMail({ from: smtp.from, to, subject, text, disableUrlAccess: true, disableFileAccess: true });
    },
  };
}
