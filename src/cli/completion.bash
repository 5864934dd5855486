# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of the command distributor, for bash.

_distributor() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="run graph --help --version"
    elif [ "$previous" = --workers ] || [ "$previous" = --tags ] || [ "$previous" = -D ]; then
        return
    elif [[ $word == -* ]]; then
        case ${COMP_WORDS[1]} in
        run)
            words="--workers --tags --skip-deps --run-deps --fail-fast --log --verbose --progress
                --state-file --trace --dry-run -D"
            ;;
        graph) words="--dot --json" ;;
        esac
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _distributor distributor
