/** Texts with ids, times, keys and addresses of the run replaced; of progress only how it ended. */
export const normal = (text: string): string =>
  text
    .replace(/SWMTKN-1-\w+-\w+/g, '<TOKEN>')
    .replace(/\b[0-9a-f]{64}\b/g, '<HEX64>')
    .replace(/\b[a-z0-9]{25}\b/g, '<ID>')
    .replace(/^[a-z0-9]{12}\b/gm, '<ID12>')
    .replace(/\.(\d+|<ID>)\.[a-z0-9]{12}(?=[@\s])/g, '.$1.<ID12>')
    .replace(/"ID":"[a-z0-9]{12}"/g, '"ID":"<ID12>"')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( \+0000)?( ?utc)?/gi, '<TIME>')
    .replace(/(Less than a second|About a minute|(About )?an? \w+|\d+ (second|minute)s?) ago/gi, '<SPAN> ago')
    .replace(/"Version":\{"Index":\d+\}/g, '"Version":{"Index":<N>}')
    .replace(/"PID":\d+/g, '"PID":<N>')
    .replace(/-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----/gs, '<CERTIFICATE>')
    .replace(/Issuer (Subject|Public Key):.*/g, 'Issuer $1: <KEY>')
    .replace(/"CertIssuer(Subject|PublicKey)":"[^"]*"/g, '"CertIssuer$1":"<KEY>"')
    .replace(/\b[12](8\d{3})\b/g, '$1')
    .replace(/:2477\b/g, ':2377')
    .replace(/ {2,}/g, '  ')
    .replace(/ +$/gm, '')
    .split('\n')
    .filter((line) => !PROGRESS.test(line))
    .filter((line, index, all) => line !== all[index - 1])
    .join('\n');

/** Lines of a progress that had not ended yet. */
const PROGRESS =
  /^(overall progress: (\d+) out of (?!\2 )|.* progress: waiting for|verify: (Waiting|Detected)|active tasks: |\d+\/\d+: )/;
