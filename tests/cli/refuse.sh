#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# distributor: whatever is wrong, it is one clear line and the right exit status.  Each bad input has
# a name, the status and the whole line; a * in it stands for what the system or the compiler says.
. "${srcdir:-.}/tests/cli/support.sh"
simple=$source/examples/modules/simple.c
help="see distributor --help"

# ---- 2: the command line ----

bad no_command 2 "no command: it is 'run' or 'graph', $help"
bad unknown_command 2 "there is no command 'walk': it is 'run' or 'graph', $help" walk
bad no_module 2 "no module: a shared object or a .c file" run
bad no_module_graph 2 "no module: a shared object or a .c file" graph
bad empty_module 2 "no module: a shared object or a .c file" run ''
bad two_modules 2 "'b.c': one module at a time" run a.c b.c
bad two_modules_graph 2 "'b.c': one module at a time" graph a.c b.c
bad one_letter_missing 2 "there is no option '--worker': was --workers meant?" run --worker=3 a.c
bad one_letter_more 2 "there is no option '--tagss': was --tags meant?" run --tagss=3 a.c
bad one_letter_other 2 "there is no option '--trece': was --trace meant?" run --trece=3 a.c
bad two_letters_swapped 2 "there is no option '--wrokers': was --workers meant?" run --wrokers=3 a.c
bad no_dash 2 "there is no option '--statefile': was --state-file meant?" run --statefile=x a.c
bad nearly_version 2 "there is no option '--versio': was --version meant?" run --versio a.c
bad nearly_result 2 "there is no option '--resul': was --result-TASK=VALUE meant?" run --resul=1 a.c
bad result_without_task 2 "there is no option '--result': was --result-TASK=VALUE meant?" \
    run --result=1 a.c
bad result_of_no_name 2 "'--result-=1' is not --result-KEY=VALUE" run --result-=1 a.c
bad help_with_value 2 "'--help' takes no value" run --help=me a.c
bad key_without_value 2 "there is no option '--bogus', and a key needs a value: --KEY=VALUE" \
    run --bogus a.c
bad unknown_letter 2 "there is no option '-x'" run -x a.c
bad unknown_letter_graph 2 "there is no option '-D'" graph -D a.c
bad tags_without_value 2 "'--tags' needs a value" run a.c --tags
bad workers_without_value 2 "'--workers' needs a value" run a.c --workers
bad state_file_without_value 2 "'--state-file' needs a value" run a.c --state-file
bad trace_without_value 2 "'--trace' needs a value" run a.c --trace
bad define_without_value 2 "'-D' needs a value" run a.c -D
bad log_with_value 2 "'--log' takes no value" run --log=3 a.c
bad dry_run_with_value 2 "'--dry-run' takes no value" run --dry-run=3 a.c
bad dot_with_value 2 "'--dot' takes no value" graph --dot=3 a.c
for workers in 0 -1 x '' 65537 3x ' ' 99999999999999999999; do
    bad "workers_'$workers'" 2 "--workers takes a number from 1 to 65536, not '$workers'" \
        run "--workers=$workers" a.c
done
bad tags_of_commas 2 "--tags takes names with commas between them" run --tags=,, a.c
bad define_without_equals 2 "'-D x' is not -D KEY=VALUE" run -D x a.c
bad define_without_key 2 "'-D =x' is not -D KEY=VALUE" run -D =x a.c
bad key_without_name 2 "'--=3' is not --KEY=VALUE" run --=3 a.c
bad task_without_name 2 "'a.c::' is not MODULE::TASK" run a.c::
bad task_without_module 2 "'::a' is not MODULE::TASK" run ::a
bad result_of_task_that_runs 2 "--result-a: it is the task that is to run" \
    run --result-a=1 "$simple::a"
bad progress_and_viewer 2 "--progress and --viewer: one of them" run --progress --viewer a.c
bad dot_and_json 2 "--dot and --json: one of them" graph --dot --json a.c
bad key_for_graph 2 "there is no option '--key=1'" graph --key=1 a.c
bad run_option_for_graph 2 "there is no option '--workers=1'" graph --workers=1 a.c
bad task_for_graph 2 "a graph is that of the whole module, not of 'a'" graph "$simple::a"
echo '{"i": 1}' > "$work/typed.json"
bad key_of_other_type 2 "--i=x: the key i takes a value of type int, and 'x' is none" \
    run --state-file "$work/typed.json" --i=x "$simple"
bad key_of_hexadecimals 2 "--i=0x10: the key i takes a value of type int, and '0x10' is none" \
    run --state-file "$work/typed.json" --i=0x10 "$simple"
bad key_too_large 2 "--i=9223372036854775808: the key i has the type int, and 9223372036854775808 is too large for it" \
    run --state-file "$work/typed.json" --i=9223372036854775808 "$simple"
long=$(printf '%65536s' '' | tr ' ' k)
bad key_too_long 2 "--kkk*kkk=1: *" run "--$long=1" "$simple"

# ---- 3: the module and its graph ----

bad module_missing 3 "cannot read '$work/none.so': No such file or directory" run "$work/none.so"
bad source_missing 3 "cannot read '$work/none.c': No such file or directory" run "$work/none.c"
bad module_is_folder 3 "cannot read '$work': Is a directory" run "$work"
bad module_is_text 3 \
    "'$srcdir/Makefile.am' is no shared object, and its name does not end in .c" \
    run "$srcdir/Makefile.am"
: > "$work/empty.so"
bad module_is_empty 3 "'$work/empty.so' is no shared object, and its name does not end in .c" \
    run "$work/empty.so"
echo 'int x;' > "$work/part.c"
${CC:-cc} -c -o "$work/part.o" "$work/part.c"
bad module_is_object 3 "'$work/part.o' is no shared object: cc -shared makes one" run "$work/part.o"
# A machine that nobody has, in the header of an ELF file; and nothing behind that header.
{ head -c 18 "$work/part.o"; printf '\377\377'; tail -c +21 "$work/part.o"; } > "$work/other.so"
bad other_machine 3 "'$work/other.so' is for another machine: another one of *" run "$work/other.so"
{ head -c 16 "$work/part.o"; printf '\003\000'; head -c 20 "$work/part.o" | tail -c 2; } \
    > "$work/short.so"
bad module_cut_off 3 "cannot load '$work/short.so': *" run "$work/short.so"
bad no_tasks 3 "'$work/part.c' has no tasks: DISTRIBUTOR_TASK makes one" run "$work/part.c"
echo 'int x' > "$work/syntax.c"
bad does_not_compile 3 "'$work/syntax.c' does not compile: * ended with status 1" run "$work/syntax.c"
{ echo 'DISTRIBUTOR_TASK(many, .after = {'; seq -f '"t%g",' 17; echo '}) { return 0; }'; } |
    module many
bad too_many_names 3 "the task 'many' has more than 16 names in .after" run "$work/many.c"
bad unknown_task 3 "'$simple' has no task 'x'" run "$simple::x"
bad result_of_unknown_task 3 "--result-x: there is no task of that name" run --result-x=1 "$simple"
bad tags_of_nobody 3 "'$simple' has no task that the options leave to run" run --tags=none "$simple"
module one << 'MODULE'
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
bad nothing_left 3 "'$work/one.c' has no task that the options leave to run" \
    run --result-a=1 "$work/one.c"
bad setup_fails 3 "setup_state of $simple failed: *" run --nap=x "$simple"
module setup << 'MODULE'
int setup_state(distributor_state_t *state) { (void)state; return 7; }
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
bad setup_returns_more 3 "setup_state of $work/setup.c returned 7, not 0 or less" run "$work/setup.c"
module wants << 'MODULE'
int setup_state(distributor_state_t *state)
{
    return distributor_state_declare(state, "n", DISTRIBUTOR_INT, 0);
}
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
module declares << 'MODULE'
int setup_state(distributor_state_t *state)
{
    return distributor_state_declare(state, "i", DISTRIBUTOR_STRING, 0);
}
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
bad state_file_of_other_type 3 "setup_state of $work/declares.c failed: the key i was declared otherwise, as int" \
    run --state-file "$work/typed.json" "$work/declares.c"
bad key_declared_otherwise 3 "setup_state of $work/wants.c failed: the key n takes a value of type int, and 'few' is none" \
    run --n=few "$work/wants.c"
module symbol << 'MODULE'
int nobody_has_this(void);
DISTRIBUTOR_TASK(a) { return nobody_has_this(); }
MODULE
bad unknown_symbol 3 "cannot load '$work/symbol.c': undefined symbol: nobody_has_this" \
    run "$work/symbol.c"
module unknown << 'MODULE'
DISTRIBUTOR_TASK(a, .after = {"x"}) { return 0; }
MODULE
bad unknown_dependency 3 "a comes after x, and no node has that name" run "$work/unknown.c"
bad unknown_dependency_graph 3 "a comes after x, and no node has that name" graph "$work/unknown.c"
module itself << 'MODULE'
DISTRIBUTOR_TASK(a, .after = {"a"}) { return 0; }
MODULE
bad after_itself 3 "*a*" run "$work/itself.c"
module cycle << 'MODULE'
DISTRIBUTOR_TASK(a, .after = {"c"}) { return 0; }
DISTRIBUTOR_TASK(b, .after = {"a"}) { return 0; }
DISTRIBUTOR_TASK(c, .after = {"b"}) { return 0; }
MODULE
bad cycle 3 "there is a cycle: a -> b -> c -> a" run "$work/cycle.c"
bad cycle_graph 3 "there is a cycle: a -> b -> c -> a" graph --dot "$work/cycle.c"
cp "$work/one.c" "$work/again.c"
CFLAGS="-x c $work/again.c" bad two_tasks_of_one_name 3 "two nodes have the name a" run "$work/one.c"
cat > "$work/old.c" << 'MODULE'
#include <stddef.h>
static const int record;
static const void *const records[] = {&record};
const struct { size_t size; const void *const *first, *const *last; } distributor_module_table = {
    1, records, records + 1};
MODULE
bad other_release 3 "'$work/old.c' was made for another release than *" run "$work/old.c"
CC=/nowhere/cc bad no_compiler 3 "cannot run the compiler '/nowhere/cc': No such file or directory" \
    run "$work/part.c"
CC=no-such-compiler bad compiler_not_found 3 \
    "cannot run the compiler 'no-such-compiler': No such file or directory" run "$work/part.c"
CC=' ' bad compiler_of_blanks 3 "the name of the compiler is empty" run "$work/part.c"
CC=false bad compiler_fails 3 "'$work/part.c' does not compile: false ended with status 1" \
    run "$work/part.c"
printf '#!/bin/sh\nkill -9 $$\n' > "$work/dies"
chmod +x "$work/dies"
CC=$work/dies bad compiler_dies 3 "'$work/part.c' does not compile: $work/dies got signal 9" \
    run "$work/part.c"
XDG_CACHE_HOME=$work/one.c bad cache_is_file 3 \
    "cannot make the cache '$work/one.c/distributor': Not a directory" run "$work/part.c"
XDG_CACHE_HOME='' HOME='' bad no_cache 3 \
    "nowhere to keep objects: set XDG_CACHE_HOME or HOME" run "$work/part.c"
mkdir -p "$work/open/distributor"
chmod 777 "$work/open/distributor"
XDG_CACHE_HOME=$work/open bad cache_of_others 4 \
    "others can write into the cache '$work/open/distributor'" run "$work/part.c"

# ---- 4: the system, and files of the state ----

# state NAME JSON LINE: a file of the state that is wrong.
state() {
    printf '%s' "$2" > "$work/$1.json"
    bad "state_$1" 4 "--state-file=$work/$1.json: $3" run --state-file "$work/$1.json" "$simple"
}
state text 'no json' "no JSON in line 1, column 2: *"
state nothing '' "no JSON in line 1, column 0: *"
state cut '{"a": 1' "no JSON in line 1, column 7: *"
state behind '{"a": 1} x' "no JSON in line 1, column 10: *"
state twice '{"a": 1, "a": 2}' "no JSON in line 1, column *: duplicate object key *"
state huge '{"a": 99999999999999999999}' "no JSON in line 1, column *: too big integer *"
state latin "$(printf '{"a": "\344"}')" "no JSON in line 1, column *: unable to decode byte 0xe4 *"
state array '[1]' "the JSON is no object"
state null '{"a": null}' "the member a is of no type that a key can have"
state list '{"a": [1]}' "the member a is of no type that a key can have"
state hex '{"a": {"hex": "0g"}}' "the member a is of no type that a key can have"
state unnamed '{"": 1}' "a member has a name of 0 bytes"
# Files that cannot be written in the end: the task does not even begin.
module marks << MODULE
#include <stdio.h>
DISTRIBUTOR_TASK(mark) { return fclose(fopen("$work/mark", "w")); }
MODULE
bad state_folder 4 "--state-file=$work: Is a directory" run --state-file "$work" "$work/marks.c"
bad state_nowhere 4 "--state-file=$work/no/where: cannot write into $work/no: No such file or directory" \
    run --state-file "$work/no/where" "$work/marks.c"
bad state_below_file 4 "--state-file=$work/one.c/s: Not a directory" \
    run --state-file "$work/one.c/s" "$work/marks.c"
bad state_new_folder 4 "--state-file=$work/new/: that is no name of a file" \
    run --state-file "$work/new/" "$work/marks.c"
bad state_of_no_name 4 "--state-file=: that is no name of a file" run --state-file= "$work/marks.c"
mkfifo "$work/pipe"
bad state_pipe 4 "--state-file=$work/pipe: it is no regular file" \
    run --state-file "$work/pipe" "$work/marks.c"
bad trace_folder 4 "--trace=$work: Is a directory" run --trace "$work" "$work/marks.c"
bad trace_nowhere 4 "--trace=$work/no/where: cannot write into $work/no: No such file or directory" \
    run --trace "$work/no/where" "$work/marks.c"
mkdir "$work/locked"
echo '{}' > "$work/locked/s.json"
chmod 444 "$work/locked/s.json"
chmod 555 "$work/locked"
# For root nothing is.
if [ ! -w "$work/locked" ]; then
    bad state_locked 4 "--state-file=$work/locked/s.json: Permission denied" \
        run --state-file "$work/locked/s.json" "$work/marks.c"
    bad state_in_locked 4 "--state-file=$work/locked/t: cannot write into $work/locked: Permission denied" \
        run --state-file "$work/locked/t" "$work/marks.c"
    bad trace_in_locked 4 "--trace=$work/locked/t: cannot write into $work/locked: Permission denied" \
        run --trace "$work/locked/t" "$work/marks.c"
fi
chmod 755 "$work/locked"
# But for this one, which nobody writes.
kernel=/proc/sys/kernel/ostype
if [ -f "$kernel" ] && [ ! -w "$kernel" ]; then
    bad state_of_kernel 4 "--state-file=$kernel: Permission denied" \
        run --state-file "$kernel" "$work/marks.c"
fi
[ ! -e "$work/mark" ] || wrong "a task has run"
run 0 run --dry-run --state-file "$work" --trace "$work" "$work/marks.c"
run 0 run --state-file "$work/new" --trace /dev/null "$work/marks.c"
[ -e "$work/mark" ] || wrong "no task has run"
# What changes while it runs is still told.
mkdir "$work/gone"
module removes << MODULE
#include <unistd.h>
DISTRIBUTOR_TASK(a) { return rmdir("$work/gone"); }
MODULE
bad state_gone 4 "--state-file=$work/gone/s: cannot write $work/gone/s: No such file or directory" \
    run --state-file "$work/gone/s" "$work/removes.c"
mkdir "$work/gone"
bad trace_gone 4 "--trace=$work/gone/t: No such file or directory" \
    run --trace "$work/gone/t" "$work/removes.c"
# A file that must not grow so large stands for a disk that is full: the old state stays.
echo '{"a": 1}' > "$work/full.json"
name=state_full
(
    trap '' XFSZ
    ulimit -f 2
    exec src/cli/distributor run --state-file "$work/full.json" \
        "--b=$(printf "%4096s" x)" "$work/one.c"
) > "$work/out" 2> "$work/err"
ended "$?" 4 "--state-file=$work/full.json: cannot write $work/full.json: File too large"
[ "$(cat "$work/full.json"; ls "$work" | grep full)" = '{"a": 1}
full.json' ] || wrong "the old state is lost, or the new one left"
if [ -w /dev/full ]; then
    bad trace_full 4 "--trace=/dev/full: No space left on device" run --trace /dev/full "$work/one.c"
    name=output_full
    src/cli/distributor graph "$simple" > /dev/full 2> "$work/err"
    ended "$?" 4 "cannot write the standard output: No space left on device"
fi
echo "$count bad inputs"
[ "$count" -gt 60 ] || wrong "there were more than 60"
finish
