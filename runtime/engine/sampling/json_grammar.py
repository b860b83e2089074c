"""The grammar of JSON."""

# White space is one blank or one line break with an indent: with more, small models write nothing
# else for ever.
JSON_OBJECT = r"""
root ::= object
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" space ( pair ( "," space pair )* )? "}" space
pair ::= string ":" space value space
array ::= "[" space ( value space ( "," space value space )* )? "]"
string ::= "\"" character* "\""
character ::= [^"\\\x7F\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" [0-9a-fA-F]{4} )
number ::= "-"? ( "0" | [1-9] [0-9]{0,15} ) ( "." [0-9]{1,16} )? ( [eE] [-+]? [0-9]{1,3} )?
space ::= ( " " | "\n" [ \t]{0,20} )?
"""
