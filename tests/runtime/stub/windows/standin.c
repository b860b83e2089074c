/* Stands in for the frozen runtime: says what it was given, and does what its first argument asks. */
#include <windows.h>

#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static void print(const char *label, const wchar_t *value)
{
    char text[3 * 4096];
    WideCharToMultiByte(CP_UTF8, 0, value, -1, text, sizeof text, NULL, NULL);
    printf("%s=%s\n", label, text);
}

static BOOL WINAPI end_orderly(DWORD event)
{
    printf("event=%lu\n", event);
    fflush(stdout);
    ExitProcess(11);
}

/* Print what lies at an offset of a file. */
static void print_bytes(const wchar_t *path, const wchar_t *offset)
{
    char bytes[9] = "";
    FILE *file = _wfopen(path, L"rb");
    if (file && _fseeki64(file, _wtoi64(offset), SEEK_SET) == 0)
        fread(bytes, 1, 8, file);
    printf("bytes=%s\n", bytes);
}

/* Print the version that Explorer would show of a file, as a program asks for it. */
static void print_version(const wchar_t *path)
{
    static BYTE facts[65536];
    VS_FIXEDFILEINFO *fixed;
    wchar_t *name;
    UINT size;
    if (!GetFileVersionInfoW(path, 0, sizeof facts, facts))
        return;
    if (VerQueryValueW(facts, L"\\", (void **)&fixed, &size))
        printf("version=%lu.%lu\n", fixed->dwFileVersionMS >> 16, fixed->dwFileVersionMS & 0xffff);
    if (VerQueryValueW(facts, L"\\StringFileInfo\\040904b0\\ProductName", (void **)&name, &size))
        print("product", name);
}

/* Run a program with a console of its own, as Ctrl-C needs one; return its exit code. */
static int run_in_console(const wchar_t *program)
{
    wchar_t command[1024];
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    DWORD code;
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    swprintf(command, 1024, L"\"%ls\" interrupt", program);
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup,
                        &process))
        return 20;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

int main(void)
{
    static wchar_t path[32768];
    int num_arguments;
    wchar_t **arguments = CommandLineToArgvW(GetCommandLineW(), &num_arguments);
    const wchar_t *what = num_arguments > 1 ? arguments[1] : L"";
    if (!wcscmp(what, L"console"))
        return run_in_console(arguments[2]);
    GetEnvironmentVariableW(L"SOLOFILE_PATH", path, 32768);
    print("path", path);
    for (int i = 1; i < num_arguments; i++)
        print("argument", arguments[i]);
    if (!wcscmp(what, L"exit"))
        return _wtoi(arguments[2]);
    if (!wcscmp(what, L"read"))
        print_bytes(arguments[2], arguments[3]);
    if (!wcscmp(what, L"version"))
        print_version(path);
    if (!wcscmp(what, L"wait"))
        fflush(stdout), getchar();
    if (!wcscmp(what, L"interrupt")) {
        SetConsoleCtrlHandler(end_orderly, TRUE);
        fflush(stdout);
        GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
        Sleep(10000);
    }
    return 0;
}
