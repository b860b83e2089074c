"""The system calls that serving does not need, by their numbers on each processor.

The numbers are those of the kernel's `asm/unistd_64.h`; a test compares them.
"""

import msgspec


class CallNumbers(msgspec.Struct, frozen=True):
    """A system call.

    Args:
        x86_64: Its number there.
        aarch64: Its number there; None for old ones, which that processor never had.
    """

    x86_64: int
    aarch64: int | None


# The highest that the headers of Linux 7.2 have. A newer call is told to be unknown, and the C
# library then does without.
LAST_KNOWN = 471

CLONE = CallNumbers(56, 220)
CLONE3 = CallNumbers(435, 435)
IOCTL = CallNumbers(16, 29)
TGKILL = CallNumbers(234, 131)
SECCOMP = CallNumbers(317, 277)

REFUSED = {
    # What starts a program, or a process.
    "execve": CallNumbers(59, 221),
    "execveat": CallNumbers(322, 281),
    "fork": CallNumbers(57, None),
    "vfork": CallNumbers(58, None),
    "uselib": CallNumbers(134, None),
    # What makes sockets, names them or connects them; and what does such things out of sight.
    "socket": CallNumbers(41, 198),
    "connect": CallNumbers(42, 203),
    "bind": CallNumbers(49, 200),
    "io_uring_setup": CallNumbers(425, 425),
    "io_uring_enter": CallNumbers(426, 426),
    "io_uring_register": CallNumbers(427, 427),
    # Other processes: their memory, their files, signals to them.
    "ptrace": CallNumbers(101, 117),
    "process_vm_readv": CallNumbers(310, 270),
    "process_vm_writev": CallNumbers(311, 271),
    "process_madvise": CallNumbers(440, 440),
    "process_mrelease": CallNumbers(448, 448),
    "kcmp": CallNumbers(312, 272),
    "pidfd_open": CallNumbers(434, 434),
    "pidfd_getfd": CallNumbers(438, 438),
    "pidfd_send_signal": CallNumbers(424, 424),
    "kill": CallNumbers(62, 129),
    "tkill": CallNumbers(200, 130),
    "rt_sigqueueinfo": CallNumbers(129, 138),
    "rt_tgsigqueueinfo": CallNumbers(297, 240),
    # What reads of the kernel more than of files, and has had faults of its own.
    "bpf": CallNumbers(321, 280),
    "perf_event_open": CallNumbers(298, 241),
    "userfaultfd": CallNumbers(323, 282),
    "lookup_dcookie": CallNumbers(212, 18),
    "syslog": CallNumbers(103, 116),
    # What changes files that may not be opened, by their names alone.
    "chmod": CallNumbers(90, None),
    "fchmod": CallNumbers(91, 52),
    "fchmodat": CallNumbers(268, 53),
    "fchmodat2": CallNumbers(452, 452),
    "chown": CallNumbers(92, None),
    "fchown": CallNumbers(93, 55),
    "lchown": CallNumbers(94, None),
    "fchownat": CallNumbers(260, 54),
    "setxattr": CallNumbers(188, 5),
    "lsetxattr": CallNumbers(189, 6),
    "fsetxattr": CallNumbers(190, 7),
    "setxattrat": CallNumbers(463, 463),
    "removexattr": CallNumbers(197, 14),
    "lremovexattr": CallNumbers(198, 15),
    "fremovexattr": CallNumbers(199, 16),
    "removexattrat": CallNumbers(466, 466),
    "file_setattr": CallNumbers(469, 469),
    "truncate": CallNumbers(76, 45),
    "link": CallNumbers(86, None),
    "linkat": CallNumbers(265, 37),
    "symlink": CallNumbers(88, None),
    "symlinkat": CallNumbers(266, 36),
    "mknod": CallNumbers(133, None),
    "mknodat": CallNumbers(259, 33),
    # Ways around names, and watching what others do with files.
    "name_to_handle_at": CallNumbers(303, 264),
    "open_by_handle_at": CallNumbers(304, 265),
    "fanotify_init": CallNumbers(300, 262),
    "fanotify_mark": CallNumbers(301, 263),
    "inotify_init": CallNumbers(253, None),
    "inotify_init1": CallNumbers(294, 26),
    "inotify_add_watch": CallNumbers(254, 27),
    # Mounts and namespaces.
    "mount": CallNumbers(165, 40),
    "umount2": CallNumbers(166, 39),
    "pivot_root": CallNumbers(155, 41),
    "chroot": CallNumbers(161, 51),
    "mount_setattr": CallNumbers(442, 442),
    "fsopen": CallNumbers(430, 430),
    "fsconfig": CallNumbers(431, 431),
    "fsmount": CallNumbers(432, 432),
    "fspick": CallNumbers(433, 433),
    "open_tree": CallNumbers(428, 428),
    "open_tree_attr": CallNumbers(467, 467),
    "move_mount": CallNumbers(429, 429),
    "statmount": CallNumbers(457, 457),
    "listmount": CallNumbers(458, 458),
    "unshare": CallNumbers(272, 97),
    "setns": CallNumbers(308, 268),
    "listns": CallNumbers(470, 470),
    "swapon": CallNumbers(167, 224),
    "swapoff": CallNumbers(168, 225),
    "quotactl": CallNumbers(179, 60),
    "quotactl_fd": CallNumbers(443, 443),
    # Who we are.
    "setuid": CallNumbers(105, 146),
    "setgid": CallNumbers(106, 144),
    "setreuid": CallNumbers(113, 145),
    "setregid": CallNumbers(114, 143),
    "setresuid": CallNumbers(117, 147),
    "setresgid": CallNumbers(119, 149),
    "setfsuid": CallNumbers(122, 151),
    "setfsgid": CallNumbers(123, 152),
    "setgroups": CallNumbers(116, 159),
    "capset": CallNumbers(126, 91),
    "personality": CallNumbers(135, 92),
    # Keys that the kernel keeps, and memory and messages shared by number.
    "add_key": CallNumbers(248, 217),
    "request_key": CallNumbers(249, 218),
    "keyctl": CallNumbers(250, 219),
    "mq_open": CallNumbers(240, 180),
    "mq_unlink": CallNumbers(241, 181),
    "shmget": CallNumbers(29, 194),
    "shmat": CallNumbers(30, 196),
    "shmctl": CallNumbers(31, 195),
    "semget": CallNumbers(64, 190),
    "semop": CallNumbers(65, 193),
    "semctl": CallNumbers(66, 191),
    "semtimedop": CallNumbers(220, 192),
    "msgget": CallNumbers(68, 186),
    "msgsnd": CallNumbers(69, 189),
    "msgrcv": CallNumbers(70, 188),
    "msgctl": CallNumbers(71, 187),
    # The machine itself.
    "reboot": CallNumbers(169, 142),
    "kexec_load": CallNumbers(246, 104),
    "kexec_file_load": CallNumbers(320, 294),
    "init_module": CallNumbers(175, 105),
    "finit_module": CallNumbers(313, 273),
    "delete_module": CallNumbers(176, 106),
    "sethostname": CallNumbers(170, 161),
    "setdomainname": CallNumbers(171, 162),
    "settimeofday": CallNumbers(164, 170),
    "clock_settime": CallNumbers(227, 112),
    "clock_adjtime": CallNumbers(305, 266),
    "adjtimex": CallNumbers(159, 171),
    "acct": CallNumbers(163, 89),
    "vhangup": CallNumbers(153, 58),
    "iopl": CallNumbers(172, None),
    "ioperm": CallNumbers(173, None),
    "modify_ldt": CallNumbers(154, None),
}
