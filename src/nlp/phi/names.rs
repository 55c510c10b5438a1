//! Given names and surnames that are common in the United States (the lists of the Census Bureau are in the public domain).
//! Left out is what is oftener another word (Will, Hope, Long, White) or an eponym of medicine (Parker stays, Parkinson goes).

/// Given names.
pub const GIVEN: &str = "\
aaron abigail adam adele adrian agnes aidan aiden aileen alan albert alberto alejandro alex alexander alexandra alexis alfred alice \
alicia alison allan allen allison alma alyssa amanda amber amelia amy ana andrea andres andrew angel angela angelica anita ann anna \
anne annette annie anthony antonio ariana arlene armando arnold arthur ashley audrey austin barbara beatrice becky benjamin bernadette \
bernard bernice bertha beth bethany betty beverly blanca bobby bonnie brad bradley brandon brandy brenda brendan brent brett brian \
brianna bridget brittany bruce bryan caleb calvin cameron camila candace candice carl carla carlos carmen carol carole caroline carolyn \
carrie casey cassandra catherine cathy cecilia cesar chad charlene charles charlotte chelsea cheryl chester chloe chris christina \
christine christopher christy cindy claire clara clarence claudia clifford clinton clyde cody colleen connie connor constance corey \
courtney craig cristina crystal curtis cynthia daisy dale dan dana daniel danielle danny darlene darrell darren daryl dave david deanna \
debbie deborah debra delores denise dennis derek desiree diana diane dianne diego dolores dominic donald donna doreen doris dorothy \
douglas duane dustin dwayne dwight earl eddie edgar edith edna eduardo edward edwin eileen elaine eleanor elena elizabeth ella ellen \
elmer elsie emily emma enrique eric erica erik erika erin ernest ernesto esther ethan ethel eugene eunice eva evan evelyn felicia felix \
fernando florence floyd frances francis francisco frank franklin fred freddie frederick gabriel gabriela gabrielle gail gary gayle \
genevieve geoffrey george georgia gerald geraldine gerard gertrude gilbert gina gladys glen glenda glenn gloria gordon grace greg \
gregory gretchen guadalupe gustavo gwendolyn hannah harold harriet harry harvey hazel heather hector heidi helen henry herbert herman \
holly howard hugh ian ida ignacio inez irene iris irma isaac isabel isabella isaiah ismael israel jackie jackson jacob jacqueline jaime \
jake james jamie jan jane janet janice jared jasmine jason javier jay jean jeanette jeanne jeff jeffery jeffrey jenna jennie jennifer \
jenny jeremiah jeremy jerome jerry jesse jessica jessie jesus jill jim jimmy joan joann joanna joanne joe joel johanna john johnny \
jonathan jordan jorge jose joseph josephine joshua joyce juan juana juanita judith judy julia julian julie julio justin kaitlyn karen \
karl karla kate katelyn katherine kathleen kathryn kathy katie katrina kayla keith kelly kelsey ken kendra kenneth kerry kevin kim \
kimberly kirk kristen kristin kristina kristine kurt kyle larry latoya laura lauren laurence laurie lawrence leah lee leo leon leona \
leonard leroy leslie lester leticia lewis liam lillian lillie linda lindsay lindsey lisa lois lonnie loretta lori lorraine louis louise \
lucas lucia lucille lucy luis luke lydia lynda lynn mabel mackenzie madeline madison mandy manuel marc marcia marco marcus margaret \
margarita marguerite maria mariah marian marianne marie marilyn mario marion marjorie marlene marsha marshall martha martin marvin mary \
mason matthew maureen maurice max maxine megan meghan melanie melinda melissa melvin mercedes meredith michael micheal michele michelle \
miguel mike mildred milton mindy minnie miranda miriam mitchell mohamed mohammed mohammad molly monica morgan muhammad muriel myra \
myrtle nancy naomi natalia natalie natasha nathan nathaniel neil nelson nicholas nichole nick nicole nina noah noel nora norma norman \
olga olivia omar opal oscar owen pablo paige pamela patricia patrick patsy patti patty paul paula pauline pearl pedro peggy penny perry \
peter philip phillip phyllis priscilla rachael rachel rafael ralph ramon ramona randall randy raquel raul raymond rebecca regina \
reginald renee rhonda ricardo richard rick ricky rita robert roberta roberto robin rodney roger roland ron ronald ronnie rosa rosalie \
rosemary roxanne roy ruben ruby rudolph russell ruth ryan sabrina sadie sally salvador sam samantha samuel sandra sandy santiago sara \
sarah scott sean sebastian sergio seth shane shannon sharon shaun shawn sheila shelby shelley shelly sheri sherri sherry shirley sidney \
silvia simon sofia sonia sonya sophia sophie spencer stacey stacy stanley stella stephanie stephen steve steven stewart stuart sue susan \
susie suzanne sydney sylvia tabitha tamara tammy tanya tara tasha taylor ted teresa teri terrance terrence terri terry thelma theodore \
theresa thomas tiffany tim timothy tina todd tom tommy toni tony tonya tracey traci tracy travis trevor tricia troy tyler valerie \
vanessa velma vera verna vernon veronica vicki vickie vicky victor victoria vincent viola violet virginia vivian walter wanda warren \
wayne wendy wesley whitney wilbur willard william willie wilma winifred xavier yolanda yvette yvonne zachary zoe \
aisha ahmed ali amir anil anjali deepak fatima giovanni hans hassan hiroshi ibrahim igor ivan jin kenji khalid kwame lakshmi li ling \
mei ming nadia nguyen olu priya rahul raj rajesh ravi sanjay svetlana tariq vijay vladimir wei yuki yusuf";

/// Surnames.
pub const SURNAMES: &str = "\
adams adkins aguilar alexander allen alvarez anderson andrews armstrong arnold atkins austin bailey baker baldwin ballard barber barnes \
barnett barrett bates beck becker bennett benson bishop black blair boyd bradley brady brewer briggs brooks brown bryant buchanan \
burgess burke burns burton bush butler byrd caldwell campbell cannon carlson carpenter carr carroll carson carter casey castillo castro \
chambers chandler chang chapman chavez chen christensen clark clarke cohen cole coleman collins colon contreras cook cooper cortez cox \
craig crawford cruz cummings cunningham curry curtis daniels davidson davis dawson dean delgado dennis diaz dixon dominguez douglas doyle \
duncan dunn edwards elliott ellis erickson espinoza estrada evans farmer ferguson fernandez fields fisher fitzgerald fleming fletcher \
flores ford foster fowler fox francis frank franklin frazier freeman fuller garcia gardner garner garrett garza george gibbs gibson \
gilbert glover gomez gonzales gonzalez goodman goodwin gordon graham grant gray green greene greer gregory griffin griffith guerrero \
gutierrez guzman hale hall hamilton hammond hampton hansen hanson hardy harmon harper harrington harris harrison hart harvey hawkins \
hayes haynes henderson henry hernandez herrera hicks higgins hill hines hoffman holland holloway holmes holt hopkins horton houston \
howard howell hubbard hudson huff hughes hunt hunter ingram jackson jacobs jackobs james jenkins jennings jensen jimenez johnson johnston \
jones jordan joseph keller kelley kelly kennedy kennedy khan kim king klein knight lambert lane larson lawrence lawson lee leonard lewis \
little logan lopez love lowe lucas luna lynch lyons mack maldonado malone mann manning marshall martin martinez mason matthews maxwell \
mccarthy mccormick mccoy mcdaniel mcdonald mcgee mckinney medina mendez mendoza meyer miles miller mills mitchell montgomery moody moore \
morales moran moreno morgan morris morrison morton moss mullins munoz murphy murray myers nash navarro neal nelson newman newton nguyen \
nichols norman norris norton nunez obrien o'brien o'connor o'neill oliver olson ortega ortiz osborne owens pacheco padilla page palmer \
park parker parks parsons patel patrick patterson patton paul payne pearson pena perez perkins perry peters petersen peterson phelps \
phillips pierce pineda porter potter powell powers price quinn ramirez ramos ramsey randall reed reese reeves reid reyes reynolds rhodes \
rice richards richardson riley rios rivera rivers robbins roberts robertson robinson robles rodgers rodriguez rogers roman romero rose \
ross rowe roy ruiz russell ryan salazar sanchez sanders sandoval santiago santos saunders schmidt schneider schroeder schultz schwartz \
scott sharp shaw shelton sherman silva simmons simon simpson sims singh smith snyder soto sparks spencer stanley stephens stevens \
stevenson stewart stone strickland sullivan sutton swanson taylor terry thomas thompson thornton todd torres townsend tran tucker turner \
tyler underwood valdez vargas vasquez vaughn vazquez vega villarreal wade wagner walker wallace walsh walters walton wang ward warner \
warren washington watkins watson watts weaver webb weber webster welch wells west wheeler white wilkerson wilkins williams williamson \
willis wilson wolfe wong wood woods wright wu yang york young zhang zimmerman ahmed ali gupta hussain ito ivanov kaur kowalski kumar le \
liu mehta muller müller novak okafor petrov rao rossi sato shah sharma suzuki tanaka yamamoto zhao";
