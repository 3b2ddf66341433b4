"""Texts that would run scripts if they were taken for markup."""

from __future__ import annotations

ATTACKS = [
    template.format(code)
    for code in (
        "window.harmed=1",
        "window.harmed&#61;1",
        "fetch('https://outside.invalid')",
        "document.title='harmed'",
        "alert(1)",
    )
    for template in (
        *(
            "<script>{}</script>",
            "<img src=x onerror={}>",
            "<svg onload={}>",
            "<svg><script>{}</script></svg>",
            "'><script>{}</script>",
            '"><img src=x onerror="{}">',
        ),
        *(
            "javascript:{}",
            "<a href='javascript:{}'>a</a>",
            "<iframe srcdoc='<script>{}</script>'></iframe>",
            "<body onload={}>",
            "<input autofocus onfocus={}>",
        ),
        *(
            "<details open ontoggle={}>a</details>",
            "<video><source onerror={}></video>",
            "</textarea><script>{}</script>",
            "</script><script>{}</script>",
        ),
        *(
            "<math><mtext></table><script>{}</script>",
            "<style>@import 'https://outside.invalid';</style>{}",
            "<base href='https://outside.invalid/'>{}",
        ),
        *(
            "<marquee onstart={}>a</marquee>",
            "${{{0}}}`{0}`",
            "<template><script>{}</script></template>",
            "<object data='javascript:{}'></object>",
        ),
        *(
            "<form action='javascript:{}'><button autofocus>a",
            "<link rel=stylesheet href='https://outside.invalid/{}'>",
            "\\u003cscript\\u003e{}\\u003c/script\\u003e",
        ),
        *(
            "&lt;script&gt;{}&lt;/script&gt;",
            "<scr<script>ipt>{}</scr</script>ipt>",
            "<ScRiPt>{}</sCrIpT>",
            "<img src='https://outside.invalid/a.png' alt=\"{}\">",
        ),
        *(
            "<div style='background:url(https://outside.invalid)'>{}</div>",
            "{{{{constructor.constructor('{}')()}}}}",
            "<p id='status'>{}</p>",
            "<embed src='javascript:{}'>",
        ),
        *(
            "<meta http-equiv=refresh content='0;url=javascript:{}'>",
            "<button formaction='javascript:{}'>a",
            "<a name=x onclick={}>x</a>",
            "--><script>{}</script>",
        ),
        *(
            "]]><script>{}</script>",
            "<noscript><p title='</noscript><script>{}</script>'>",
            "<audio src=x onerror={}>",
            "\u2028<script>{}</script>",
        ),
    )
]
