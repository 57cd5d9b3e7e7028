export type MailPart = { type: string; name?: string; content: string | Uint8Array }

/** A mail as programs write it: encoded words, base64, an alternative body and attachments. */
export function makeMail(
  subject: string,
  body: { text?: string; html?: string },
  attachments: readonly MailPart[] = [],
  headers = '',
): string {
  const bodies: MailPart[] = [
    ...(body.text === undefined ? [] : [{ type: 'text/plain; charset=utf-8', content: body.text }]),
    ...(body.html === undefined ? [] : [{ type: 'text/html; charset=utf-8', content: body.html }]),
  ]
  const alternative = `--b\r\nContent-Type: multipart/alternative; boundary="a"\r\n\r\n${bodies.map((part) => partOf('a', part)).join('')}--a--\r\n`
  const parts = [bodies.length > 0 ? alternative : '', ...attachments.map((part) => partOf('b', part))]
  return `From: ${word('王小明')} <wang@example.com>\r\nTo: li@example.com\r\nSubject: ${word(subject)}\r\nDate: Mon, 3 Mar 2025 09:00:00 +0800\r\n${headers}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n${parts.join('')}--b--\r\n`
}

function partOf(boundary: string, { type, name, content }: MailPart): string {
  const named = name ? `; name="${word(name)}"\r\nContent-Disposition: attachment; filename="${word(name)}"` : ''
  return `--${boundary}\r\nContent-Type: ${type}${named}\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines(Buffer.from(content).toString('base64'))}\r\n`
}

function word(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
}

function lines(text: string): string {
  return text.replace(/.{76}/g, '$&\r\n')
}
