export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The scripts hand the words before the cursor to `bale __complete` and offer what it answers
 * (answer.ts), so that they fit whatever commands the program has.
 */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return BASH;
    case 'zsh':
      return ZSH;
    case 'fish':
      return FISH;
  }
}

/** bash cuts words at `=` and `:`; the script puts them together again, and offers what follows the last cut. */
const BASH = String.raw`# bash completion of bale. Load it with:  source <(bale completion bash)
_bale() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() word i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i > 0)) && [[ $line != [[:space:]]* ]]; then
      line=\${line#"$word"}
      words[\${#words[@]} - 1]+=$word
    else
      line=\${line#"\${line%%[![:space:]]*}"}
      ((i < COMP_CWORD)) || word=$line
      line=\${line#"$word"}
      words+=("$word")
    fi
  done
  local current=\${words[\${#words[@]} - 1]} directive= found
  local cut=\${current%"\${current##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r found; do
    case $found in
      :*) directive=\${found#:} ;;
      *) COMPREPLY+=("\${found%%$'\t'*}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  for i in "\${!COMPREPLY[@]}"; do
    if [[ \${COMPREPLY[i]} == "$current"* ]]; then
      COMPREPLY[i]=\${COMPREPLY[i]#"$cut"}
    else
      unset "COMPREPLY[i]"
    fi
  done
  COMPREPLY=("\${COMPREPLY[@]}")
  case $directive in
    open) compopt -o nospace 2>/dev/null ;;
    files) compopt -o default 2>/dev/null ;;
  esac
}
complete -F _bale bale
`.replaceAll('\\${', '${');

const ZSH = String.raw`#compdef bale
# zsh completion of bale. Load it with:  source <(bale completion zsh)
_bale() {
  local line directive
  local -a found space
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    case $line in
      :*) directive=\${line#:} ;;
      *$'\t'*) found+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}") ;;
      *) found+=("\${line//:/\\:}") ;;
    esac
  done
  case $directive in
    files) _files; return ;;
    open) space=(-S '') ;;
  esac
  ((\${#found})) && _describe -V bale found "\${space[@]}"
}
if [[ \${funcstack[1]} == _bale ]]; then
  _bale "$@"
else
  compdef _bale bale
fi
`.replaceAll('\\${', '${');

const FISH = String.raw`# fish completion of bale. Load it with:  bale completion fish | source
function __bale_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    test (count $answer) -gt 0; or return
    if test "$answer[-1]" = ":files"
        __fish_complete_path "$current"
    else
        printf '%s\n' $answer[1..-2]
    end
end
complete -c bale -f -a '(__bale_complete)'
`;
