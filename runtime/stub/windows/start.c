#include "start.h"

#include "message.h"
#include "wide.h"

#include <stdio.h>
#include <wchar.h>
#include <windows.h>

/* The frozen program, as builder/kit/freeze.py names it. */
static const wchar_t PROGRAM[] = L"solofile-runtime.exe";

/* Paths of programs and folders up to here need no mark; not all programs know the mark. */
enum { SHORT_PATH = 240 };

static HANDLE runtime_process;

/* Ctrl-C reaches the runtime by itself; what it makes of it is its own affair, and we wait. When the
 * console is closed, we would be ended on return, and the runtime with us. */
static BOOL WINAPI leave_to_runtime(DWORD event)
{
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        WaitForSingleObject(runtime_process, INFINITE);
    return TRUE;
}

static const wchar_t *shortest(const char *path, wchar_t wide[WIDE_PATH])
{
    if (!widen(path, wide, SHORT_PATH))
        widen_path(path, wide);
    return wide;
}

/* Make a job whose processes end with us. What the runtime itself starts, a browser, is not in it. */
static HANDLE make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation.LimitFlags =
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

static HANDLE inheritable(DWORD stream)
{
    HANDLE handle = GetStdHandle(stream);
    SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    return handle;
}

_Noreturn static void fail_to_start(const char *folder)
{
    DWORD error = GetLastError();
    wchar_t wide[512] = L"";
    char text[3 * 512] = "";
    FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, error, 0, wide,
                   512, NULL);
    wide[wcscspn(wide, L".\r\n")] = L'\0';
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof text, NULL, NULL);
    fail(EXIT_UNSUPPORTED,
         "Could not start the runtime in %s, %s (Windows error %lu); " CHOOSE_PLACE ".", folder,
         text, error);
}

static HANDLE start_suspended(const char *folder, HANDLE *thread)
{
    static char path[PATH_BYTES + 64];
    static wchar_t program[WIDE_PATH], command[WIDE_PATH];
    PROCESS_INFORMATION process;
    STARTUPINFOW own, startup;
    /* Whoever started us also said how the window is to look. */
    GetStartupInfoW(&own);
    startup = own;
    startup.dwFlags |= STARTF_USESTDHANDLES;
    startup.hStdInput = inheritable(STD_INPUT_HANDLE);
    startup.hStdOutput = inheritable(STD_OUTPUT_HANDLE);
    startup.hStdError = inheritable(STD_ERROR_HANDLE);
    snprintf(path, sizeof path, "%s\\%ls", folder, PROGRAM);
    /* CreateProcess may write into it. */
    wcsncpy(command, GetCommandLineW(), WIDE_PATH - 1);
    if (!CreateProcessW(shortest(path, program), command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL,
                        NULL, &startup, &process))
        fail_to_start(folder);
    *thread = process.hThread;
    return process.hProcess;
}

void start_runtime(const struct runtime *runtime, const char *solofile, char **arguments)
{
    static wchar_t wide[WIDE_PATH];
    HANDLE thread;
    DWORD code;
    (void)arguments;
    if (!SetEnvironmentVariableW(L"SOLOFILE_PATH", shortest(solofile, wide)))
        fail(EXIT_RESOURCE, "There is not enough memory to start; close other programs.");
    /* A handler of our own is not handed down, as ignoring Ctrl-C would be. */
    SetConsoleCtrlHandler(leave_to_runtime, TRUE);
    HANDLE job = make_job();
    runtime_process = start_suspended(runtime->path, &thread);
    AssignProcessToJobObject(job, runtime_process);
    ResumeThread(thread);
    WaitForSingleObject(runtime_process, INFINITE);
    GetExitCodeProcess(runtime_process, &code);
    ExitProcess(code);
}
